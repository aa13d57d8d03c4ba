// What the pages need beyond HTML and htmx.
import { flashChanges } from "./m/flash.js";
import { listenForKeys } from "./m/keys.js";

flashChanges();
listenForKeys();
