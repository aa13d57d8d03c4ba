// What the pages need beyond HTML and htmx.
import { countAges } from "./m/ages.js";
import { flashChanges } from "./m/flash.js";
import { follow } from "./m/live.js";
import { keepUnfolded } from "./m/details.js";
import { tellFailures } from "./m/failures.js";
import { listenForKeys } from "./m/keys.js";
import { openDialogs } from "./m/ui.js";

countAges();
flashChanges();
keepUnfolded();
listenForKeys();
tellFailures();
follow();
openDialogs();
