// Take Google Tag Manager out of a generated report: Allure 3 has no option for it, and a report
// about a system's weak spots has no business calling anybody (allure3 issue 476).
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const LOADER = /<script[^>]*googletagmanager[^>]*>\s*<\/script>\s*(<script[^>]*>(?:(?!<\/script>)[\s\S])*?gtag(?:(?!<\/script>)[\s\S])*?<\/script>)?/g;

export const strip = (html) => html.replace(LOADER, "");

const pages = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith(".html"))
    .map((name) => join(folder, name));

export const stripFolder = (folder) => {
  for (const page of pages(folder)) {
    const html = strip(readFileSync(page, "utf8"));
    if (/src="[^"]*googletagmanager/.test(html)) {
      throw new Error(`${page}: the analytics loader has a form that this script does not know`);
    }
    writeFileSync(page, html);
  }
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  stripFolder(process.argv[2]);
}
