// Does on the docs page what a person does: gives it a token, opens an operation, executes it.
// `node try.mjs URL TOKEN OPERATION` writes each request that the page sent, one JSON object a line.
import { JSDOM, VirtualConsole } from "jsdom";

const [url, token, operation] = process.argv.slice(2);

const dom = await JSDOM.fromURL(`${url}/api/docs`, {
  runScripts: "dangerously",
  resources: "usable",
  pretendToBeVisual: true,
  virtualConsole: new VirtualConsole().on("jsdomError", (error) => console.error(String(error))),
  // What a browser has and jsdom has not.
  beforeParse(window) {
    Object.assign(window, { Headers, Request, Response, structuredClone, TextEncoder, TextDecoder });
    window.fetch = async (target, { method = "GET", headers = {}, body } = {}) => {
      const path = new URL(target.url ?? target, window.location.href).href;
      const sent = Object.fromEntries(new Headers(headers));
      const answer = await fetch(path, { method, headers: sent, body });
      console.log(JSON.stringify({ method, url: path, headers: sent, status: answer.status }));
      return answer;
    };
  },
});

const { document, Event, MouseEvent, HTMLInputElement } = dom.window;

// The element, soon after it is there; whoever started us gives up in the end. Looking at every frame
// would leave the page no time to draw itself.
async function found(selector) {
  for (;;) {
    const element = document.querySelector(selector);
    if (element) return element;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const click = (element) => element.dispatchEvent(new MouseEvent("click", { bubbles: true }));

click(await found(".btn.authorize"));
const input = await found(".auth-container input");
// React hears of a value only when it is set past its own setter.
Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, token);
input.dispatchEvent(new Event("input", { bubbles: true }));
(await found(".auth-container form")).dispatchEvent(
  new Event("submit", { bubbles: true, cancelable: true }),
);

const opened = `[id$="-${operation}"]`;
click(await found(`${opened} .opblock-summary-control`));
click(await found(`${opened} .execute`));
await found(`${opened} .live-responses-table .response-col_status`);
process.exit(0);
