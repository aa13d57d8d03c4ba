#!/bin/sh
# Put this tree in the place of the release that runs; or go back: `deploy/upgrade.sh --rollback`.
# docs/deployment.md says when, and what a rollback can and cannot take back.
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
. "$ROOT/deploy/lib.sh"

main() {
	[ "$(id -u)" = 0 ] || die "this must be run by root."
	[ -L $CURRENT ] || die "nothing is installed in $BASE. deploy/install.sh does that."
	old=$(basename "$(readlink $CURRENT)")
	case ${1:-} in
	"") upgrade ;;
	--rollback) roll_back ;;
	*) die "usage: deploy/upgrade.sh [--rollback]" ;;
	esac
}

upgrade() {
	new=$(release_name)
	[ "$new" != "$old" ] || die "$new runs already."
	lay_release "$new" # while the old one still serves
	collect_static "$new"
	back_up
	stop_everything
	echo "$old" >"$BASE/previous"
	switch_to "$new"
	install_units
	write_again
	start_all || give_up "$new"
	say "$new runs; $old is kept for: deploy/upgrade.sh --rollback"
}

# Before anything is changed. The backup's own documentation says how it is restored.
back_up() {
	if [ "${BACKUP:-}" = skip ]; then
		say "no backup was made, as BACKUP=skip asks"
		return
	fi
	say "making a backup"
	sh -c "${BACKUP:-/usr/local/sbin/tradeswim backup}" ||
		die "the backup failed; nothing was changed. Name another command, or BACKUP=skip."
}

start_all() {
	say "starting"
	if ! has_systemd; then
		echo "Left to do: start the services"
		return
	fi
	systemctl start --no-block tradeswim.target # one that cannot start would be waited for in vain
	wait_until_serving "$(kept TRADESWIM_WEB_URL)/sign-in/"
}

# The site of this release, with the names and files that the old one has.
write_again() {
	[ -e "$SITE" ] || return 0
	HOST=$(kept TRADESWIM_HOSTS) PORT=$(kept PORT) \
		CERTIFICATE=$(said ssl_certificate) CERTIFICATE_KEY=$(said ssl_certificate_key) \
		HTTPS=$(port_of ' ssl http2;') HTTP=$(port_of ';') ACME=$(said root) \
		IPV6=$(grep -c 'listen \[::\]' "$SITE" | grep -v '^0$' || true) \
		"$CURRENT/deploy/nginx/render" >"$SITE.new"
	cp "$SITE" "$SITE.before"
	mv "$SITE.new" "$SITE"
	if nginx -t -q; then
		rm -f "$SITE.before"
		! has_systemd || systemctl reload-or-restart nginx
	else
		mv "$SITE.before" "$SITE"
		say "nginx refuses the new site; the old one stays. Look at deploy/nginx."
	fi
}

give_up() {
	echo "$1 does not serve. journalctl -u 'tradeswim*' -e says why." >&2
	die "to go back: deploy/upgrade.sh --rollback (of this tree or any other)"
}

roll_back() {
	[ -s "$BASE/previous" ] || die "there is no previous release."
	new=$(cat "$BASE/previous")
	[ -e "$BASE/releases/$new/.complete" ] || die "release $new is not there any more."
	[ "$new" != "$old" ] || die "$new runs already."
	stop_everything
	# The old program refuses a database that a newer one has changed; better now than after the switch.
	if ! TRADESWIM_RELEASE=$BASE/releases/$new "$CURRENT/deploy/tradeswim" \
		check --deploy --tag tradeswim --database default; then
		start_all || true
		die "$new cannot run on this database, and $old goes on. Restore the backup made before the upgrade."
	fi
	echo "$old" >"$BASE/previous"
	switch_to "$new"
	install_units
	write_again
	start_all || give_up "$new"
	say "$new runs again"
}

main "$@"
