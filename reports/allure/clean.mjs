// Remove the report of an earlier suite: `allure generate` never does, and would leave the old
// page in place beside the new one.
import { rmSync } from "node:fs";

rmSync(new URL("../latest/allure-report", import.meta.url), { recursive: true, force: true });
