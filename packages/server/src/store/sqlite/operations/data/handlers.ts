import { blobsToErase, eraseRows, eraseSession, forgetErasedBlobs, forgetUsage } from "./erase.ts";
import { createErasure, endErasure, noteErasure } from "./erasures.ts";
import {
  createExport,
  deleteExport,
  dropExport,
  endExport,
  expireExports,
  noteExport,
  takeExport,
} from "./exports.ts";

/** What changes exports and erasures, and what erases, by name. */
export const dataHandlers = {
  createExport,
  deleteExport,
  takeExport,
  noteExport,
  endExport,
  expireExports,
  dropExport,
  createErasure,
  eraseSession,
  eraseRows,
  blobsToErase,
  forgetErasedBlobs,
  noteErasure,
  endErasure,
  forgetUsage,
  // What it asks for is done once its batch is committed: batch.ts.
  truncateLog: () => true,
};
