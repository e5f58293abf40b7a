// Parses an AsyncAPI file and writes what there is to say of it, and what it holds, as one JSON object.
import { Parser, fromFile } from "@asyncapi/parser";

const { document, diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
const operations = document?.operations().all() ?? [];

console.log(JSON.stringify({
  faults: diagnostics.map(({ code, path, message }) => `${code} at ${path.join("/")}: ${message}`),
  version: document?.version(),
  messages: document?.components().messages().all().map((message) => message.id()),
  operations: operations.map((each) => ({
    id: each.id(),
    action: each.action(),
    messages: each.messages().all().map((message) => message.name()),
  })),
}));
