/** How a language's code, which comes by standard input, is run by `bash -c`. */
export interface CodeLanguage {
  /** The program that has to be there. */
  readonly program: string;
  readonly command: string;
  /** Shows the packages that there are. */
  readonly packages: string;
}

// Runs the code as the module __main__ with an empty standard input, and shows the value of its last expression as a notebook does. The
// frames of this program itself are left out of tracebacks.
const pythonRunner = `
import ast, linecache, os, sys, traceback, types
code = sys.stdin.buffer.read().decode("utf-8", "replace")
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
name = "<code>"
linecache.cache[name] = (len(code), None, code.splitlines(True), name)
main = types.ModuleType("__main__")
sys.modules["__main__"] = main
try:
    tree = ast.parse(code, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), main.__dict__)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), name, "eval"), main.__dict__)
        if value is not None:
            print(repr(value))
except SystemExit:
    raise
except BaseException as error:
    parsing = isinstance(error, SyntaxError) and error.filename == name
    traceback.print_exception(type(error), error, None if parsing else error.__traceback__.tb_next)
    sys.exit(1)
`;

export const languages = {
  python: {
    program: "python3",
    command: `python3 -u -X utf8 -c '${pythonRunner}'`,
    packages: "python3 -m pip list",
  },
  node: { program: "node", command: "node -", packages: "node --version; npm ls --global" },
  bash: {
    program: "bash",
    command: `(code=$(cat); exec </dev/null; eval "$code")`,
    packages: "compgen -c | sort -u",
  },
} as const satisfies Readonly<Record<string, CodeLanguage>>;

export type LanguageName = keyof typeof languages;

/** Exit code when the language's program is not there; nothing else was run then. */
export const missingProgram = 127;

/** The whole command: `folder`, relative to where it runs, is OUTPUT_DIR, and goes again when nothing was written into it. */
export function commandOf({ program, command }: CodeLanguage, folder: string): string {
  return [
    `command -v ${program} >/dev/null 2>&1 || exit ${missingProgram}`,
    `export OUTPUT_DIR="$PWD/${folder}" MPLBACKEND=Agg`,
    `mkdir -p "$OUTPUT_DIR" || exit 1`,
    command,
    `code=$?; rmdir -p "${folder}" 2>/dev/null; exit $code`,
  ].join("\n");
}
