# What install.sh and upgrade.sh share. They are sourced by sh, and never leave a half-made release in use.
# ROOT is the tree that is being installed.

BASE=/opt/tradeswim
CURRENT=$BASE/current
HOME_DIR=/var/lib/tradeswim
SETTINGS=/etc/tradeswim
SECRETS=$SETTINGS/secrets
SITE=/etc/nginx/sites-available/tradeswim.conf
SERVING_WITHIN_S=180

say() {
	echo "== $*"
}

die() {
	echo "$(basename "$0"): $*" >&2
	exit 1
}

has_systemd() {
	[ -d /run/systemd/system ]
}

# What the settings say of a name; nothing before there are any.
kept() {
	[ ! -e "$SETTINGS/tradeswim.env" ] || sed -n "s/^$1=//p" "$SETTINGS/tradeswim.env"
}

# What the site that is there says of a name.
said() {
	[ ! -e "$SITE" ] || sed -n "s/^[[:space:]]*$1 \(.*\);\$/\1/p" "$SITE" | head -1
}

# $1: what follows the port where the site itself listens.
port_of() {
	[ ! -e "$SITE" ] || sed -n "s/^[[:space:]]*listen \([0-9.:]*\)$1\$/\1/p" "$SITE" | head -1
}

# The name of the tree's release: its version, or what git or the clock says.
release_name() {
	if [ -n "${VERSION:-}" ]; then
		echo "$VERSION"
	elif [ -e "$ROOT/.git" ] && command -v git >/dev/null 2>&1; then
		git -c safe.directory="$ROOT" -C "$ROOT" log -1 --format=%cd-%h --date=format:%Y%m%d
	else
		date -u +%Y%m%d-%H%M%S
	fi
}

# Copy the tree to a folder of its own, with its packages (pinned, with hashes) and its static files.
# $1: name of the release. One that was laid completely is kept as it is.
lay_release() {
	release=$BASE/releases/$1
	if [ -e "$release/.complete" ]; then
		say "release $1 is there already"
		return
	fi
	say "laying release $1 (takes a minute or two)"
	rm -rf "$release"
	install -d -m 0755 "$BASE" "$BASE/releases" "$release"
	(cd "$ROOT" && tar -cf - --exclude=./.git --exclude=./.venv --exclude=./var --exclude='__pycache__' \
		--exclude='./.*_cache' --exclude=./staticfiles .) | tar -C "$release" -xf - --no-same-owner
	(
		umask 022
		cd "$release" && scripts/install requirements.txt &&
			.venv/bin/python -m compileall -q -j 0 accounts brokerage orders strategies tradeswim
	) || die "the packages of release $1 could not be installed."
	chmod -R go-w,a+rX "$release"
}

# Collect the static files beside the code, readable by nginx. $1: name of the release
collect_static() {
	say "collecting static files"
	(umask 022 && in_release "$BASE/releases/$1" collectstatic --noinput --verbosity 0) ||
		die "the static files of release $1 could not be collected."
	chmod -R a+rX "$BASE/releases/$1/staticfiles"
	touch "$BASE/releases/$1/.complete"
}

# Run a management command of a release that may not be the current one, as root.
in_release() (
	release=$1
	shift
	read_settings
	export TRADESWIM_STATIC_ROOT="$release/staticfiles"
	export TRADESWIM_SECRET_KEY_FILE=$SECRETS/secret-key REDIS_URL_FILE=$SECRETS/queue-url
	export CACHE_URL_FILE=$SECRETS/cache-url DATABASE_URL_FILE=$SECRETS/database-url
	cd "$release" && exec .venv/bin/python manage.py "$@"
)

# Export the lines of the settings file; systemd's own syntax, as far as we write it.
read_settings() {
	while IFS= read -r line; do
		case $line in
		[A-Z]*=*) export "${line?}" ;;
		esac
	done <"$SETTINGS/tradeswim.env"
}

# Let the next start run this release. $1: its name
switch_to() {
	ln -sfn "releases/$1" "$BASE/.next"
	mv -T "$BASE/.next" "$CURRENT"
}

install_units() {
	say "installing the units"
	for folder in "$CURRENT"/deploy/systemd/*.d; do
		install -d -m 0755 "/etc/systemd/system/$(basename "$folder")"
		install -m 0644 "$folder"/*.conf "/etc/systemd/system/$(basename "$folder")/"
	done
	install -m 0644 "$CURRENT"/deploy/systemd/*.service "$CURRENT"/deploy/systemd/*.target \
		/etc/systemd/system/
	install -m 0755 "$CURRENT/deploy/tradeswim" /usr/local/sbin/tradeswim
	for unit in /etc/systemd/system/tradeswim-*.service; do # those that an older release had
		[ -e "$CURRENT/deploy/systemd/$(basename "$unit")" ] || rm -f "$unit"
	done
	if has_systemd; then
		systemctl daemon-reload
	fi
}

# Stop everything, and wait until the last process has ended: of the target alone systemctl would not wait.
stop_everything() {
	if has_systemd; then
		say "stopping"
		# Patterns: on a first install none of them is there, which must be no error.
		systemctl stop 'tradeswim*.target' 'tradeswim-*.service'
	fi
}

# $1: address that must answer with 200; given up after SERVING_WITHIN_S.
wait_until_serving() {
	say "waiting until it serves"
	tries=0
	until curl --silent --fail --insecure --output /dev/null --max-time 5 \
		--connect-to "::127.0.0.1:" "$1"; do
		tries=$((tries + 1))
		[ $tries -lt $SERVING_WITHIN_S ] || return 1
		sleep 1
	done
}
