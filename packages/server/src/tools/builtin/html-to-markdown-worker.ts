/** Runs in a thread of its own, which html-to-markdown.ts ends when it takes too long. */
import { parentPort, workerData } from "node:worker_threads";
import { NodeHtmlMarkdown } from "node-html-markdown";

parentPort?.postMessage(NodeHtmlMarkdown.translate(String(workerData)));
