// Draws the forms of specifications in a headless browser and does what people do. Each line of the standard input is
// one visit, a specification and steps; what was to be seen is one line of the standard output.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const PAGE = new URL("page/index.html", import.meta.url).href;

// Milliseconds; an action takes a few on an idle machine.
const PATIENCE = 60_000;

const FLAGS = [
  ..."no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-component-update disable-sync".split(" "),
  "host-resolver-rules=MAP * ~NOTFOUND",
].map((flag) => `--${flag}`);

const actions = {
  unfold: (page) => page.locator("details").evaluateAll((folds) => folds.forEach((fold) => (fold.open = true))),
  choose: (page, { path, option }) => field(page, path).locator("select").first().selectOption({ label: option }),
  tick: (page, { path, option }) => field(page, path).getByLabel(option, { exact: true }).check(),
  add: (page, { path }) => field(page, path).getByRole("button", { name: "Add" }).click(),
  type: async (page, { path, value }) => {
    const input = page.locator(`[id="root.${path}"]`);
    await input.fill(value);
    await input.blur();
  },
  submit: (page) => page.getByRole("button", { name: "Save" }).click(),
  look: (page) => page.evaluate(look),
  screenshot: (page, { file }) => page.screenshot({ path: file, fullPage: true }),
};

function field(page, path) {
  return page.locator(`[data-path="${path}"]`).first();
}

// Runs inside the page: what somebody sees of the form, section by section, and what was submitted.
function look() {
  const seen = (element) => ({
    path: element.dataset.path,
    title: element.querySelector("label").textContent,
    type: element.querySelector(":scope > :is(input, select, textarea)")?.type ?? null,
    folded: element.closest("details") !== null,
    visible: element.checkVisibility(),
    errors: [...element.querySelectorAll(":scope > .error")].map((error) => error.textContent),
  });
  const sections = [...document.querySelectorAll("section")].map((section) => ({
    title: section.querySelector("h2").textContent,
    fields: [...section.querySelectorAll("[data-path]")].map(seen),
  }));
  return { sections, text: document.body.textContent, submitted: window.submitted };
}

async function visit(browser, { spec, title, steps }) {
  const page = await browser.newPage({ timezoneId: "UTC", viewport: { width: 800, height: 600 } });
  page.setDefaultTimeout(PATIENCE);
  const [requested, problems, looks] = [[], [], []];
  page.on("request", (request) => requested.push(request.url()));
  page.on("pageerror", (error) => problems.push(`${error}`));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  try {
    await page.goto(PAGE);
    await page.evaluate((shown) => window.showForm(shown), { title, ...spec });
    await page.locator("section").first().waitFor();
    for (const { act, ...step } of steps) {
      const seen = await actions[act](page, step);
      if (act === "look") {
        looks.push(seen);
      }
    }
  } catch (error) {
    problems.push(`${error}`);
  }
  await page.close();
  return { looks, requested, problems };
}

const [executablePath] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: FLAGS, timeout: PATIENCE });
try {
  for await (const order of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await visit(browser, JSON.parse(order))));
  }
} finally {
  await browser.close();
}
