// A headless browser that does what a person does, one action per line of the standard input; what came of it is one line of the output.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "../forms/node_modules/playwright-core/index.mjs";

const AXE = readFileSync(new URL("../forms/node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

// Milliseconds; the longest wait is for a connector to start on a busy machine.
const PATIENCE = 90_000;

const FLAGS = [
  ..."no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-component-update disable-sync".split(" "),
  "host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
].map((flag) => `--${flag}`);

const [executablePath] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, args: FLAGS, timeout: PATIENCE });
let page = null;
let [requested, problems] = [[], []];

const actions = {
  async open({ width, height, dark, still }) {
    await page?.context().close();
    const context = await browser.newContext({
      viewport: { width, height }, colorScheme: dark ? "dark" : "light", reducedMotion: still ? "reduce" : "no-preference",
      timezoneId: "UTC", acceptDownloads: true,
    });
    page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    [requested, problems] = [[], []];
    page.on("request", (request) => requested.push(request.url()));
    page.on("pageerror", (error) => problems.push(`${error}`));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  },
  async goto({ url }) {
    const answer = await page.goto(url);
    return answer?.status();
  },
  click: ({ selector }) => page.locator(selector).first().click(),
  fill: ({ selector, value }) => page.locator(selector).first().fill(value),
  select: ({ selector, value }) => page.locator(selector).first().selectOption(value),
  choose: ({ selector, file }) => page.locator(selector).first().setInputFiles(file),
  press: ({ key }) => page.keyboard.press(key),
  type: ({ text }) => page.keyboard.type(text),
  wait: ({ selector, state }) => page.locator(selector).first().waitFor({ state }),
  settle: () => page.waitForLoadState("networkidle"),
  text: ({ selector }) => page.locator(selector).allInnerTexts(),
  value: ({ selector }) => page.locator(selector).first().inputValue(),
  count: ({ selector }) => page.locator(selector).count(),
  evaluate: ({ script }) => page.evaluate(script),
  screenshot: ({ file, full }) => page.screenshot({ path: file, fullPage: full }),
  url: () => page.url(),
  async download({ selector, file }) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator(selector).first().click()]);
    await download.saveAs(file);
    return download.suggestedFilename();
  },
  async axe() {
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => axe.run());
    return violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, nodes: nodes.map((node) => node.html.slice(0, 200)) }));
  },
  seen: () => ({ requested, problems }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { act, ...order } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ value: (await actions[act](order)) ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ problem: `${act} ${JSON.stringify(order)}: ${error}` }));
  }
}
await browser.close();
