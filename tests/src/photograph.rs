//! Synthetic photographs: made input for measurements and tests that may not ship real ones.
//!
//! They have what makes photographs cost time and lose quality: smooth shading, texture at every
//! scale with a natural spectrum, hard coloured edges and sensor grain.

/// Makes a `width` x `height` photograph as packed RGB; the same seed gives the same pixels.
pub fn photograph(width: usize, height: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let shapes: Vec<Shape> = (0..90).map(|_| Shape::new(&mut random, width, height)).collect();
    // Amplitude falls with the scale as in natural pictures, whose spectrum is about 1 / f.
    let octaves: Vec<(Noise, f32)> = [(1024, 46.0), (256, 30.0), (64, 17.0), (16, 10.0), (4, 9.0)]
        .map(|(cell, amplitude)| (Noise::new(&mut random, width, height, cell), amplitude))
        .into();
    let tints =
        [Noise::new(&mut random, width, height, 700), Noise::new(&mut random, width, height, 150)];

    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        let present: Vec<&Shape> = shapes.iter().filter(|shape| shape.meets_row(y)).collect();
        for x in 0..width {
            let light: f32 =
                octaves.iter().map(|(noise, amplitude)| noise.at(x, y) * amplitude).sum();
            let (warm, green) = (tints[0].at(x, y) * 34.0, tints[1].at(x, y) * 16.0);
            let mut colour = [118.0 + warm, 112.0 + green, 108.0 - warm];
            for shape in &present {
                if shape.covers(x, y) {
                    colour = shape.colour;
                }
            }
            let grain = random.symmetric() * 9.0;
            rgb.extend(colour.map(|value| (value + light + grain).clamp(0.0, 255.0) as u8));
        }
    }
    rgb
}

/// A disc or a slanted bar of one colour, shaded with the rest.
struct Shape {
    x: f32,
    y: f32,
    radius: f32,
    slant: Option<f32>,
    colour: [f32; 3],
}

impl Shape {
    fn new(random: &mut Random, width: usize, height: usize) -> Self {
        let smaller = width.min(height) as f32;
        Self {
            x: random.unit() * width as f32,
            y: random.unit() * height as f32,
            radius: smaller * (0.01 + 0.09 * random.unit() * random.unit()),
            slant: (random.unit() < 0.5).then(|| random.symmetric()),
            colour: std::array::from_fn(|_| 40.0 + 175.0 * random.unit()),
        }
    }

    fn meets_row(&self, y: usize) -> bool {
        (y as f32 - self.y).abs() <= self.radius * 2.0
    }

    fn covers(&self, x: usize, y: usize) -> bool {
        let (across, down) = (x as f32 - self.x, y as f32 - self.y);
        match self.slant {
            Some(slant) => (across - slant * down).abs() < self.radius * 0.2,
            None => across * across + down * down < self.radius * self.radius,
        }
    }
}

/// Values on a grid, smoothly interpolated between, -1 to 1.
struct Noise {
    cell: f32,
    stride: usize,
    values: Vec<f32>,
}

impl Noise {
    fn new(random: &mut Random, width: usize, height: usize, cell: usize) -> Self {
        let stride = width / cell + 2;
        let values = (0..stride * (height / cell + 2)).map(|_| random.symmetric()).collect();
        Self { cell: cell as f32, stride, values }
    }

    fn at(&self, x: usize, y: usize) -> f32 {
        let (across, down) = (x as f32 / self.cell, y as f32 / self.cell);
        let at = down as usize * self.stride + across as usize;
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (across, down) = (ease(across.fract()), ease(down.fract()));
        let mix = |one: f32, other: f32, share: f32| one + (other - one) * share;
        let upper = mix(self.values[at], self.values[at + 1], across);
        let below = at + self.stride;
        mix(upper, mix(self.values[below], self.values[below + 1], across), down)
    }
}

/// A small generator of pseudo-random numbers (xorshift64*, Vigna 2016).
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as f32 / (1 << 24) as f32
    }

    fn symmetric(&mut self) -> f32 {
        self.unit() * 2.0 - 1.0
    }
}
