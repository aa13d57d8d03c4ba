// What the pages of signing in need beyond HTML.
import { usePasskeys } from "./m/passkeys.js";

usePasskeys();
