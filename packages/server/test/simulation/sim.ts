// npm run sim [-- --seeds N --from N | --seed N]: the whole server under simulated time, one seed after another.
import "./engine/virtual-globals.ts";

const { main } = await import("./command.ts");
process.exitCode = await main(process.argv.slice(2));
