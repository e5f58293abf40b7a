// Verifies one delivery a line with both packages that receivers would use, and writes what they made of it.
import { createInterface } from "node:readline";
import { Webhook as Standard } from "standardwebhooks";
import { Webhook as Svix } from "svix";

const verified = (Package, { secret, body, headers }) => {
  try {
    new Package(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
};

for await (const line of createInterface({ input: process.stdin })) {
  const delivery = JSON.parse(line);
  console.log(JSON.stringify([Standard, Svix].map((each) => verified(each, delivery))));
}
