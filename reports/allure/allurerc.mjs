// How Allure 3 shows a suite. Allure 2 needs none of this: it reads what lies beside the results.
import { existsSync, readFileSync } from "node:fs";

// Allure 3.15 to 3.18 call `toArray` on an iterator in the quality gate, which Node has from
// version 22 on; without it the gate would fail for that reason alone (allure3 PR 977).
const iterator = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
iterator.toArray ??= function toArray() {
  return Array.from(this);
};

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));

// One list sorts results in Allure 2 and 3: the harness writes it into the results as well.
const categories = read("../../harness/reporting/allure_categories.json");

// What was planned, lost scenarios included: a report with fewer results hides something.
const summary = "../latest/summary.json";
const planned = existsSync(new URL(summary, import.meta.url)) ? read(summary).runs.length : 1;

const isGate = process.env.GATE === "1";

export default {
  name: "Chaos scenarios",
  output: "../latest/allure-report",
  historyPath: "../allure-history.jsonl",
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
