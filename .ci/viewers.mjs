// Opens our pictures in OpenSeadragon and our manifests in Mirador 3 and 4, in a headless Chromium, from
// another origin than the server's; any error on the console, in a page or in an answer fails.
//
// node .ci/viewers.mjs FOLDER CHROMIUM BASE ASSET...
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [folder, chromium, base, ...assets] = process.argv.slice(2);
const modules = join(folder, "node_modules");
const puppeteer = createRequire(join(modules, "x"))("puppeteer-core");

const head = '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">';
const openseadragon = (asset) => `${head}<title>OpenSeadragon</title>
<div id="viewer" style="width:1000px;height:700px"></div>
<script src="/openseadragon.js"></script>
<script>
  const viewer = OpenSeadragon({ id: "viewer", showNavigationControl: false, tileSources: "${base}/iiif/3/${asset}/info.json" });
  window.state = { tiles: 0, failed: [] };
  viewer.addHandler("tile-loaded", () => { window.state.tiles += 1; });
  viewer.addHandler("tile-load-failed", (event) => { window.state.failed.push(event.tile.getUrl()); });
  viewer.addHandler("open-failed", (event) => { window.state.failed.push(event.message); });
  viewer.addHandler("open", () => { window.state.open = true; });
  window.zoom = () => { viewer.viewport.zoomTo(viewer.viewport.getMaxZoom(), null, true); };
  window.loaded = () => viewer.world.getItemCount() === 1 && viewer.world.getItemAt(0).getFullyLoaded();
</script>`;
const mirador = (version, resource) => `${head}<title>Mirador</title>
<div id="viewer" style="position:absolute;inset:0"></div>
<script src="/mirador-${version}.js"></script>
<script>
  Mirador.viewer({ id: "viewer", windows: [{ manifestId: "${base}${resource}", sideBarOpen: true, sideBarPanel: "annotations" }], window: { defaultSideBarPanel: "annotations" } });
</script>`;

const files = {
    "/openseadragon.js": join(modules, "openseadragon/build/openseadragon/openseadragon.min.js"),
    "/mirador-3.js": join(modules, "mirador-3/dist/mirador.min.js"),
    "/mirador-4.js": join(modules, "mirador-4/dist/mirador.min.js"),
};
const versions = [3, 4];
// What Mirador 4 says of itself, whatever it opens.
const ofItself = ["Accessing element.ref was removed in React 19"];
const pages = new Map();
assets.forEach((asset, at) => {
    pages.set(`/openseadragon/${at}`, openseadragon(asset));
    for (const version of versions) pages.set(`/mirador-${version}/${at}`, mirador(version, `/iiif/manifest/${asset}`));
});
const server = createServer(async (request, response) => {
    const page = pages.get(request.url);
    const file = files[request.url];
    if (!page && !file) {
        response.writeHead(404).end();
        return;
    }
    response.setHeader("content-type", page ? "text/html" : "text/javascript");
    response.end(page ?? (await readFile(file)));
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const here = `http://127.0.0.1:${server.address().port}`;

const profile = await mkdtemp(join(tmpdir(), "viewers-"));
const browser = await puppeteer.launch({
    executablePath: chromium,
    userDataDir: profile,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--window-size=1100,800"],
    defaultViewport: { width: 1100, height: 800 },
});
const wrong = [];

async function look(path, settle) {
    const page = await browser.newPage();
    const seen = { pictures: 0 };
    const report = (what) => wrong.push(`${path}: ${what}`);
    page.on("console", (message) => {
        const own = ofItself.some((text) => message.text().startsWith(text));
        if (["error", "assert"].includes(message.type()) && !own) report(message.text());
    });
    page.on("pageerror", (error) => report(error.message));
    page.on("response", (response) => {
        if (response.status() >= 400) report(`${response.status()} ${response.url()}`);
        else if (/\/iiif\/3\/.*\.(jpg|png|webp)$/.test(response.url())) seen.pictures += 1;
    });
    try {
        await page.goto(here + path, { waitUntil: "load" });
        await settle(page, seen);
        await page.screenshot({ path: join(folder, `${path.slice(1).replace("/", "-")}.png`) });
        console.log(`${path}: ${seen.pictures} pictures`);
        if (seen.pictures === 0) report("no picture was asked for");
    } catch (error) {
        report(error.message);
    }
    await page.close();
}

const patience = { timeout: 60_000, polling: 200 };
for (const at of assets.keys()) {
    await look(`/openseadragon/${at}`, async (page) => {
        await page.waitForFunction("window.state.open && window.loaded()", patience);
        await page.evaluate("window.zoom()");
        await page.waitForFunction("window.loaded()", patience);
        const failed = await page.evaluate("window.state.failed");
        failed.forEach((what) => wrong.push(`openseadragon: ${what}`));
    });
    for (const version of versions) {
        await look(`/mirador-${version}/${at}`, async (page, seen) => {
            await page.waitForSelector(".openseadragon-canvas canvas", patience);
            const until = Date.now() + patience.timeout;
            while (seen.pictures === 0 && Date.now() < until) await new Promise((done) => setTimeout(done, 200));
            await page.waitForNetworkIdle({ idleTime: 1_000, timeout: patience.timeout });
        });
    }
}
await browser.close();
server.close();
await rm(profile, { recursive: true, force: true });
wrong.forEach((what) => console.error(what));
process.exit(wrong.length === 0 ? 0 : 1);
