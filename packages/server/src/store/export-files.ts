/** Where the files of exports lie: ZIP archives, by the export's id. */
export interface ExportFiles {
  /** Begins one; what an earlier attempt left goes. */
  create(id: string): Promise<ExportWriter>;
  /** Null when it is not there. */
  read(id: string): Promise<{ readonly size: number; readonly pieces: AsyncIterable<Uint8Array> } | null>;
  delete(id: string): Promise<void>;
}

export interface ExportWriter {
  /** Adds a file to the archive as its content comes; nothing is held in memory. Names use `/` and are unique. */
  add(name: string, content: AsyncIterable<string | Uint8Array>): Promise<void>;
  /** The archive is whole and on the disk. */
  finish(): Promise<{ readonly bytes: number; readonly sha256: string }>;
  /** Nothing of it stays. */
  abandon(): Promise<void>;
}
