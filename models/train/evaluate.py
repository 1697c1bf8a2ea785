"""Measures the networks that repair, and classical ways beside them, on pictures that nothing was trained on.

    python evaluate.py WHAT NETWORKS DATA [SHEETS]

WHAT is `denoise`, `deblur`, `upscale`, `colourise`, or `invent` for the networks that make details up; NETWORKS
the folder of ONNX files; DATA a folder with `restoration_bench`, `historical` and so on. Side-by-side sheets are
written to SHEETS. Pictures are greyed, noised, blurred and reduced here, the same way each time.
"""

import pathlib
import sys
import time

import cv2
import numpy as np
import onnxruntime
from PIL import Image

import lab

SEED = 1


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def read(path):
    """A picture as floats [h, w, 3], 0..1."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), np.float32) / 255


def stored(picture):
    """What an 8-bit file keeps of it."""
    return np.round(np.clip(picture, 0, 1) * 255) / 255


def psnr(one, two):
    return -10 * np.log10(np.mean(np.square(np.float64(one) - two)))


def planes(picture):
    return np.ascontiguousarray(np.moveaxis(picture, -1, 0)[None], np.float32)


def apply(network, picture, strength=None, multiple=1):
    """Runs a network over a whole picture [h, w, planes]."""
    height, width = picture.shape[:2]
    rest = [(0, -side % multiple) for side in (height, width)]
    padded = np.pad(picture, [*rest, (0, 0)], mode="edge")
    given = {"image": planes(padded)}
    if strength is not None:
        given["strength"] = np.full((1, 1, 1, 1), strength, np.float32)
    (out,) = network.run(None, given)
    scale = out.shape[2] // padded.shape[0]
    return np.moveaxis(out[0], 0, -1)[: scale * height, : scale * width]


def sheet(folder, name, pictures):
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    rows = [np.uint8(np.clip(each, 0, 1) * 255 + 0.5) for each in pictures]
    Image.fromarray(np.concatenate(rows, 1)).save(folder / f"{name}.jpg", quality=92)


def kodak(data):
    return sorted((data / "restoration_bench/dev/kodak24").glob("*.png"))


class Table:
    """Collects figures a picture, prints their means."""

    def __init__(self):
        self.rows, self.seconds, self.pixels = {}, {}, {}

    def add(self, name, **figures):
        self.rows.setdefault(name, []).append(figures)

    def timed(self, name, pixels, work):
        began = time.process_time()
        out = work()
        self.seconds[name] = self.seconds.get(name, 0) + time.process_time() - began
        self.pixels[name] = self.pixels.get(name, 0) + pixels
        return out

    def show(self):
        for name, rows in self.rows.items():
            means = {key: np.mean([row[key] for row in rows]) for key in rows[0]}
            told = ", ".join(f"{key} {value:.3f}" for key, value in means.items())
            if name in self.seconds:
                told += f", {1e6 * self.seconds[name] / self.pixels[name]:.1f} s of one core a megapixel"
            print(f"{name}: {told} ({len(rows)} pictures)", flush=True)


def denoise(networks, data, sheets):
    network, table = session(networks / "denoise.onnx"), Table()
    for sigma in (10, 25, 50):
        random = np.random.default_rng(SEED)
        for number, path in enumerate(kodak(data)):
            clean = read(path)
            noisy = stored(clean + random.standard_normal(clean.shape) * sigma / 255)
            size = clean.shape[0] * clean.shape[1]
            name = f"sigma {sigma}"
            ours = table.timed(
                f"{name}, network", size, lambda: stored(apply(network, noisy, sigma / 255, 2))
            )
            bytes_ = np.uint8(noisy * 255 + 0.5)[..., ::-1].copy()
            table.add(f"{name}, noisy", psnr=psnr(noisy, clean))
            table.add(f"{name}, network", psnr=psnr(ours, clean))
            # OpenCV's own advice is 3 to 10; what does best on these pictures is taken from several.
            for strength in (3, 10, 0.75 * sigma):
                way = f"{name}, fastNlMeansDenoisingColored h {strength:g}"
                fast = table.timed(
                    way,
                    size,
                    lambda: cv2.fastNlMeansDenoisingColored(bytes_, None, strength, strength, 7, 21),
                )
                fast = fast[..., ::-1] / 255
                table.add(way, psnr=psnr(fast, clean))
            if number < 4:
                part = np.s_[100:400, 200:500]
                sheet(sheets, f"denoise-{sigma}-{path.stem}", [each[part] for each in (clean, noisy, ours, fast)])
    table.show()


def blur(plane, sigma):
    return cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def wiener(plane, sigma, regular):
    """Undoes a Gaussian blur in the frequency domain; what it would amplify most is held back.

    The penalty is on the Laplacian, as in constrained least squares (Gonzalez and Woods, 5.9).
    """
    border = int(8 * sigma)
    padded = np.pad(plane, border, mode="reflect")
    height, width = padded.shape
    y, x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    response = np.exp(-2 * (np.pi * sigma) ** 2 * (y**2 + x**2))
    roughness = 4 - 2 * np.cos(2 * np.pi * y) - 2 * np.cos(2 * np.pi * x)
    spectrum = np.fft.rfft2(padded) * response / (response**2 + regular * roughness**2)
    return np.fft.irfft2(spectrum, padded.shape)[border:-border, border:-border]


def deblur(networks, data, sheets):
    table = Table()
    path = networks / "deblur.onnx"
    network = session(path) if path.exists() else None
    for told in (1.2, 1.4, 1.6, 1.8, 2.0):
        for number, path in enumerate(kodak(data)):
            clean = read(path)
            blurred = stored(np.stack([blur(clean[..., p], 1.6) for p in range(3)], -1))
            luma = lab.luma(blurred)

            def with_luma(plane):
                return stored(blurred + (plane - luma)[..., None])

            name = f"blur 1.6, told {told}"
            results = [clean, blurred]
            table.add("blur 1.6, as it is", psnr=psnr(blurred, clean))
            for regular in (3e-5, 1e-4, 3e-4, 1e-3):
                way, size = f"{name}, least squares {regular:g}", luma.size
                sharp = table.timed(way, size, lambda: with_luma(wiener(luma, told, regular)))
                table.add(way, psnr=psnr(sharp, clean))
                results += [sharp] if regular == 1e-4 else []
            if network:
                way = f"{name}, network"
                sharp = table.timed(
                    way,
                    luma.size,
                    lambda: with_luma(apply(network, luma[..., None], told, 2)[..., 0]),
                )
                table.add(way, psnr=psnr(sharp, clean))
                results.append(sharp)
            if number < 3:
                part = np.s_[100:400, 200:500]
                sheet(sheets, f"deblur-{told}-{path.stem}", [each[part] for each in results])
    table.show()


def video_luma(rgb):
    """Luma as papers on upscaling score it: Rec. 601, 16..235."""
    return (16 + rgb @ np.array([65.481, 128.553, 24.966])) / 255


def pairs(data, name):
    folder = data / "restoration_bench/dev" / name
    for path in sorted(folder.rglob("*_HR.png")):
        if "x4" in path.parts:
            yield path.stem.removesuffix("_HR"), read(path), read(str(path).replace("_HR", "_LR"))


def enlarged(plane, scale=4):
    size = [side * scale for side in plane.shape[::-1]]
    return np.asarray(Image.fromarray(np.float32(plane)).resize(size, Image.Resampling.BICUBIC))


def upscale(networks, data, sheets):
    network, table = session(networks / "upscale-fidelity.onnx"), Table()
    for name in ("Set5", "BSD100"):
        for stem, whole, small in pairs(data, name):
            cubic = np.stack([enlarged(small[..., p]) for p in range(3)], -1)
            luma = lab.luma(small)

            def by_network():
                plane = apply(network, luma[..., None])[..., 0]
                return cubic + (plane - enlarged(luma))[..., None]

            ours = table.timed(f"{name}, network", luma.size, by_network)
            inner = np.s_[4:-4, 4:-4]
            for way, picture in (("bicubic", cubic), ("network", ours)):
                figure = psnr(video_luma(stored(picture))[inner], video_luma(whole)[inner])
                table.add(f"{name}, {way}", psnr_y=figure)
            if name == "Set5":
                sheet(sheets, f"upscale-{stem}", [cubic, ours, whole])
    table.show()


def distance(encoder, one, two):
    """How differently EfficientNet-Lite0 sees two pictures, 0 to 2 a stride: the squared distances of its features,
    each place's brought to length 1, as in LPIPS (Zhang et al. 2018) but without weights that people's
    judgements have taught."""
    height, width = (side // 32 * 32 for side in one.shape[:2])

    def seen(picture):
        images = planes((stored(picture[:height, :width]) * 255 - 127) / 128)
        for features in encoder.run(None, {"images": images}):
            yield features / (np.linalg.norm(features, axis=1, keepdims=True) + 1e-6)

    pairs_seen = zip(seen(one), seen(two))
    return sum(np.square(first - second).sum(1).mean() for first, second in pairs_seen)


def reduced_kodak(data):
    for path in kodak(data):
        whole = read(path)
        size = [side // 4 for side in whole.shape[1::-1]]
        small = Image.fromarray(np.uint8(whole * 255 + 0.5)).resize(size, Image.Resampling.BICUBIC)
        yield path.stem, whole, np.asarray(small, np.float32) / 255


def invent(networks, data, sheets):
    encoder, table = session(networks / "colourise-encoder.onnx"), Table()
    sets = {"Set5": pairs(data, "Set5"), "BSD100": pairs(data, "BSD100"), "kodak24": reduced_kodak(data)}
    upscalers = ("upscale-fidelity", "realesr-animevideov3-x4", "realesrgan-x4plus")
    upscalers = {card: session(networks / f"{card}.onnx") for card in upscalers}
    for name, pictures in sets.items():
        for stem, whole, small in pictures:
            size = small.shape[0] * small.shape[1]
            cubic = np.stack([enlarged(small[..., p]) for p in range(3)], -1)
            away = distance(encoder, cubic, whole)
            results = [cubic]
            for card, network in upscalers.items():
                if card == "upscale-fidelity":
                    luma = lab.luma(small)
                    plane = apply(network, luma[..., None])[..., 0]
                    ours = cubic + (plane - enlarged(luma))[..., None]
                else:
                    way = f"{name}, {card}"
                    ours = table.timed(way, size, lambda: apply(network, small))
                inner = np.s_[4:-4, 4:-4]
                figure = psnr(video_luma(stored(ours))[inner], video_luma(whole)[inner])
                off = distance(encoder, ours, whole)
                table.add(f"{name}, {card}", psnr_y=figure, distance=off, bicubic=away, nearer=off < away)
                results.append(ours)
            sheet(sheets, f"invent-{name}-{stem}", [*results, whole])
    table.show()


def guided(luma, chroma, reach=2, near=0.08):
    """Joint bilateral upsampling (Kopf et al. 2007): chroma [h, w, 2] to the size of `luma`.

    Each pixel takes the mean of the coarse places around it, those of its own lightness before others.
    """
    height, width = luma.shape
    rows, columns = chroma.shape[:2]
    small = cv2.resize(luma, (columns, rows), interpolation=cv2.INTER_AREA)
    y = (np.arange(height) + 0.5) * rows / height - 0.5
    x = (np.arange(width) + 0.5) * columns / width - 0.5
    total, weights = np.zeros((height, width, 2)), np.zeros((height, width))
    for down in range(-reach + 1, reach + 1):
        for right in range(-reach + 1, reach + 1):
            row, column = np.floor(y).astype(int) + down, np.floor(x).astype(int) + right
            away = np.square(row - y)[:, None] + np.square(column - x)[None]
            place = np.ix_(row.clip(0, rows - 1), column.clip(0, columns - 1))
            weight = np.exp(-away / 1.0 - np.square((luma - small[place]) / near) / 2) + 1e-6
            total += weight[..., None] * chroma[place]
            weights += weight
    return total / weights[..., None]


def coloured(encoder, head, grey, side):
    """Colours a grey picture [h, w], 0..1."""
    height, width = grey.shape
    scale = side / max(height, width)
    size = [max(32, 32 * round(each * scale / 32)) for each in (width, height)]
    small = cv2.resize(np.float32(grey), size, interpolation=cv2.INTER_AREA)
    images = np.repeat(((small * 255 - 127) / 128)[None, None], 3, 1).astype(np.float32)
    names = [output.name for output in encoder.get_outputs()]
    seen = dict(zip(names, encoder.run(None, {"images": images})))
    (chroma,) = head.run(None, {"images": images, **seen})
    return lab.coloured(grey, guided(np.float32(grey), np.moveaxis(chroma[0], 0, -1)))


def colour_sets(data):
    """Pairs of a grey picture's luma and its true colours, of what no one would call grey."""
    plates = data / "historical/dev/loc_prokudin_colour_reference"
    plate_pairs = [
        (read(path)[..., 1], read(str(path).replace("_green_gray", "_rgb")), path)
        for path in sorted(plates.glob("*_green_gray.png"))
    ]

    def greyed(paths):
        for path in paths:
            picture = read(path)
            if np.abs(lab.lab(picture[::4, ::4])[..., 1:]).mean() > 2:
                yield stored(lab.luma(picture)), picture, path

    yield "kodak24", greyed(kodak(data))
    yield "coco_sample", greyed(sorted((data / "coco_sample/dev").glob("*.jpg")))
    yield "scenes_colour_cid22", greyed(sorted((data / "scenes_colour_cid22/dev").glob("*.jpg")))
    yield "loc_prokudin", plate_pairs


def colourise(networks, data, sheets, side=256):
    from colourise import colourfulness

    encoder = session(networks / "colourise-encoder.onnx")
    head = session(networks / "colourise-head.onnx")
    table = Table()
    for name, pictures in colour_sets(data):
        for grey, truth, path in pictures:
            if max(grey.shape) > 768:
                scale = 768 / max(grey.shape)
                size = [round(each * scale) for each in grey.shape[::-1]]
                grey = cv2.resize(np.float32(grey), size, interpolation=cv2.INTER_AREA)
                truth = cv2.resize(truth, size, interpolation=cv2.INTER_AREA)
            ours = table.timed(name, grey.size, lambda: coloured(encoder, head, grey, side))
            tint = lab.coloured(grey, np.broadcast_to([2.0, 8.0], (*grey.shape, 2)))
            plain = np.repeat(grey[..., None], 3, -1)
            true_chroma = lab.lab(truth)[..., 1:]

            def off(picture):
                return np.sqrt(np.square(lab.lab(picture)[..., 1:] - true_chroma).sum(-1).mean())

            table.add(
                name,
                better=off(stored(ours)) < off(plain),
                off=off(ours),
                off_grey=off(plain),
                off_tint=off(tint),
                psnr=psnr(stored(ours), truth),
                psnr_grey=psnr(plain, truth),
                psnr_tint=psnr(stored(tint), truth),
                colourfulness=colourfulness(255 * ours),
                true_colourfulness=colourfulness(255 * truth),
                share=colourfulness(255 * ours) / colourfulness(255 * truth),
            )
            sheet(sheets, f"colourise-{name}-{path.stem}", [plain, ours, truth])
    table.show()


def main():
    what, networks, data, *sheets = sys.argv[1:]
    measure = {each.__name__: each for each in (denoise, deblur, upscale, invent, colourise)}[what]
    measure(pathlib.Path(networks), pathlib.Path(data), pathlib.Path(sheets[0]) if sheets else None)


if __name__ == "__main__":
    main()
