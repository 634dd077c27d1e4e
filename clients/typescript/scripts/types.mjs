// Makes the TypeScript types of a server's OpenAPI document.
import openapiTS, { astToString } from "openapi-typescript";

const head = "// Generated from the OpenAPI document of the server: npm run generate. Do not edit.\n\n";

// types leaves out the answers that are problems: every problem is one of the schema Problem.
export async function types(url) {
  const answer = await fetch(url + "/openapi.json");
  const document = await answer.json();
  for (const path of Object.values(document.paths))
    for (const { responses } of Object.values(path))
      for (const status of Object.keys(responses)) if (status >= "400") delete responses[status];
  return head + astToString(await openapiTS(document));
}
