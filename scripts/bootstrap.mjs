// Makes a fresh clone runnable: finds or installs a Node that is new enough, then the npm packages.
// Plain JavaScript without dependencies, because it is the one file that an old Node (20) has to run.
// Leaves the path of that Node in .tools/ready, which scripts/run reads.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tools = join(root, ".tools");
const wanted = "24.21.0";
const say = (line) => console.error(`berth: ${line}`);

/** The same range as `engines` in package.json: the first Node whose crypto has argon2. */
function isNewEnough(version) {
  const [major, minor] = version.replace(/^v/, "").split(".").map(Number);
  return major > 24 || (major === 24 && minor >= 7);
}

function versionOf(node) {
  if (!existsSync(node)) return "0.0.0";
  return execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
}

function npm(args, env = process.env) {
  const { status, error } = spawnSync("npm", args, {
    cwd: root,
    env,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status === 0) return;
  say(`npm ${args.join(" ")} failed${error ? `: ${error.message}` : ""}`);
  process.exit(1);
}

function findNode() {
  if (isNewEnough(process.version)) return process.execPath;
  const platform = `node-${process.platform}-${process.arch}`;
  const node = join(tools, "node_modules", platform, "bin", "node");
  if (isNewEnough(versionOf(node))) return node;
  say(`Node ${process.version} is too old, installing Node ${wanted} into .tools`);
  mkdirSync(tools, { recursive: true });
  npm(["install", "--prefix", tools, "--no-audit", "--no-fund", "--loglevel=error", `${platform}@${wanted}`]);
  if (isNewEnough(versionOf(node))) return node;
  say(`npm has no Node ${wanted} that runs on ${platform}: install Node 24 by hand and try again`);
  return process.exit(1);
}

/** True when node_modules holds what package-lock.json asks for; optional packages of other platforms may be absent. */
function isInstalled() {
  const read = (file) => JSON.parse(readFileSync(join(root, file), "utf8")).packages;
  if (!existsSync(join(root, "node_modules", ".package-lock.json"))) return false;
  const installed = read("node_modules/.package-lock.json");
  return Object.entries(read("package-lock.json")).every(
    ([path, entry]) =>
      !path.includes("node_modules/") || entry.optional || installed[path]?.version === entry.version,
  );
}

function installPackages(node) {
  if (isInstalled()) return;
  say("installing the npm packages");
  // npm must itself run under the new Node: it leaves out optional packages whose `engines` it does not meet.
  const path = `${dirname(node)}${delimiter}${process.env.PATH}`;
  npm(["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"], { ...process.env, PATH: path });
}

const node = findNode();
installPackages(node);
mkdirSync(tools, { recursive: true });
writeFileSync(join(tools, "ready"), `${node}\n`);
