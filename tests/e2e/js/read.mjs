// Reads one structured-mode CloudEvent a line, as a JavaScript consumer would, and writes what it saw.
import { createInterface } from "node:readline";
import { HTTP } from "cloudevents";

const headers = { "content-type": "application/cloudevents+json; charset=utf-8" };

for await (const body of createInterface({ input: process.stdin })) {
  const event = HTTP.toEvent({ headers, body });
  event.validate();
  const { id, type, source, subject, sequence, data } = event;
  console.log(JSON.stringify({ id, type, source, subject, sequence, data }));
}
