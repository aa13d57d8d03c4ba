// What the pages need beyond HTML and htmx.
import { flashChanges } from "./m/flash.js";
import { keepUnfolded } from "./m/details.js";
import { tellFailures } from "./m/failures.js";
import { listenForKeys } from "./m/keys.js";

flashChanges();
keepUnfolded();
listenForKeys();
tellFailures();
