// How Allure 3 shows a suite. Allure 2 needs none of this: it reads what lies beside the results.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

// Allure 3.15 to 3.18 call `toArray` on an iterator in the quality gate, which Node has from
// version 22 on; without it the gate would fail for that reason alone (allure3 PR 977).
const iterator = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
iterator.toArray ??= function toArray() {
  return Array.from(this);
};

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

// One list sorts results in Allure 2 and 3: the harness writes it into the results as well.
const categories = read("../../harness/reporting/allure_categories.json");

// The folder of the suite and the file that keeps the history of all suites.
const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = resolve(process.env.ATLAS_REPORT_DIR ?? at("../latest"));
const history = resolve(process.env.ATLAS_REPORT_HISTORY ?? at("../allure-history.jsonl"));

// What was planned, lost scenarios included: a report with fewer results hides something.
const summary = resolve(folder, "summary.json");
const planned = existsSync(summary) ? JSON.parse(readFileSync(summary, "utf8")).runs.length : 1;

const isGate = process.env.GATE === "1";

export default {
  name: "Chaos scenarios",
  output: resolve(folder, "allure-report"),
  historyPath: history,
  historyLimit: 50,
  // The gate runs first and must not write: every delta would compare the run with itself.
  appendHistory: !isGate,
  categories: { rules: categories },
  qualityGate: {
    rules: [
      { id: "every planned scenario has a result", minTestsCount: planned },
      { id: "nothing failed or broke", maxFailures: 0 },
    ],
  },
  plugins: {
    awesome: {
      options: {
        reportName: "Chaos scenarios",
        reportLanguage: "en",
        groupBy: ["epic", "feature"],
        stepTreeExpansion: "expand_failed_only",
        singleFile: true, // the only form that a browser opens from a disk or a CI artefact
      },
    },
    dashboard: { options: { reportName: "Chaos scenarios", reportLanguage: "en", singleFile: true } },
  },
};
