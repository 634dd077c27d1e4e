import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

type Respond = (status: number, body: unknown, headers?: Record<string, string>) => void;

/** Starts a server that answers by handle, and records the bodies that it gets. */
export async function serve(handle: (request: IncomingMessage, call: number, answer: Respond) => void) {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const call = bodies.push(body);
    handle(request, call, (status, content, headers = {}) => {
      const type = status < 300 ? "application/json" : "application/problem+json";
      response.writeHead(status, { "Content-Type": type, ...headers }).end(JSON.stringify(content));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
