/** The process of the bare limit: carries INBOX to INBOX as its one argument says. */
import { drain, type Task } from './drain.ts';

await drain(JSON.parse(process.argv[2] ?? '') as Task);
process.exit();
