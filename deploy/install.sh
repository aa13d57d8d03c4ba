#!/bin/sh
# Install Tradeswim on a Debian 12 or Ubuntu 24.04 host, or bring an installation up to what is asked for.
# docs/deployment.md says what each variable does; without a terminal nothing is asked.
set -eu

ROOT=$(cd "$(dirname "$0")/.." && pwd)
. "$ROOT/deploy/lib.sh"
. "$ROOT/deploy/host.sh"

CERTIFICATES=$SETTINGS/tls
ACME=/var/www/tradeswim-acme
left=""

main() {
	[ "$(id -u)" = 0 ] || die "this must be run by root."
	check_system
	ask_what_is_missing
	install_packages
	make_user
	make_settings
	make_secrets
	make_queues
	make_database
	name=$(release_name)
	lay_release "$name"
	collect_static "$name"
	make_keys "$name"
	make_backup_key "$name"
	stop_everything # what runs would go on with the old code, and load the new one's beside it
	migrate "$name"
	make_admin "$name"
	switch_to "$name"
	install_units
	start_units
	make_site
	tell
}

check_system() {
	system=$(. /etc/os-release && echo "$ID-$VERSION_ID") # in a shell of its own: it sets VERSION, too
	case $system in
	debian-12 | ubuntu-24.04) ;;
	ubuntu-22.04)
		"${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
			die "Ubuntu 22.04 comes with Python 3.10. Install a newer one, and name it: PYTHON=python3.11"
		;;
	*) [ -n "${ANY_SYSTEM:-}" ] || die "this is $system. Debian 12 and Ubuntu 24.04 are supported; ANY_SYSTEM=1 goes on all the same." ;;
	esac
}

# $1: variable, $2: question, $3: default, $4: "hidden" for a password
ask() {
	eval "answer=\${$1:-}"
	if [ -z "$answer" ] && [ -t 0 ]; then
		[ "${4:-}" != hidden ] || stty -echo
		printf '%s%s: ' "$2" "${3:+ [$3]}" >&2
		read -r answer || true
		[ "${4:-}" != hidden ] || { stty echo && echo >&2; }
	fi
	answer=${answer:-$3}
	[ -n "$answer" ] || die "$1 is not set: $2."
	eval "$1=\$answer"
}

ask_what_is_missing() {
	go_on_as_it_is
	ask HOST "name of the host, as browsers will call it" "$(kept TRADESWIM_HOSTS)"
	ask TRADESWIM_ENVIRONMENT "PAPER or LIVE" PAPER
	case $TRADESWIM_ENVIRONMENT in PAPER | LIVE) ;; *) die "TRADESWIM_ENVIRONMENT must be PAPER or LIVE." ;; esac
	if [ -n "${CERTIFICATE:-}" ]; then
		TLS=given
	elif [ -n "${CERTBOT_EMAIL:-}" ]; then
		TLS=certbot
	fi
	ask TLS "certificate: given, certbot or self-signed" ""
	case $TLS in
	given)
		ask CERTIFICATE "file of the certificate with its chain" ""
		ask CERTIFICATE_KEY "file of its key" ""
		[ -r "$CERTIFICATE" ] && [ -r "$CERTIFICATE_KEY" ] || die "the certificate or its key cannot be read."
		;;
	certbot) ask CERTBOT_EMAIL "address for the certificate authority's letters" "" ;;
	self-signed) ;;
	*) die "TLS must be given, certbot or self-signed." ;;
	esac
	if [ ! -e "$SETTINGS/.admin" ]; then
		ask ADMIN_USER "name of the first administrator" admin
		ask ADMIN_PASSWORD "password of $ADMIN_USER, at least 15 characters" "" hidden
		[ ${#ADMIN_PASSWORD} -ge 15 ] || die "ADMIN_PASSWORD is shorter than 15 characters."
	fi
}

# The command of the release that is not in use yet.
of_release() {
	release=$BASE/releases/$1
	shift
	TRADESWIM_RELEASE=$release "$release/deploy/tradeswim" "$@"
}

make_keys() {
	[ ! -s "$SECRETS/keys.json" ] || return 0
	say "making the keys"
	of_release "$1" make_keys >/dev/null
	echo "   $SECRETS/keys.json: keep a copy of it apart from every backup of the database."
}

make_backup_key() {
	[ ! -s "$SECRETS/backup.key" ] || return 0
	(umask 077 && in_release "$BASE/releases/$1" backup --make-key "$SECRETS/backup.key") >/dev/null
	echo "   $SECRETS/backup.key: keep a copy of it where no backup is."
}

migrate() {
	say "preparing the database"
	of_release "$1" migrate --verbosity 0
}

make_admin() {
	[ ! -e "$SETTINGS/.admin" ] || return 0
	say "making the administrator $ADMIN_USER"
	USER_PASSWORD=$ADMIN_PASSWORD of_release "$1" make_user "$ADMIN_USER" --role ADMIN
	touch "$SETTINGS/.admin"
}

start_units() {
	if ! has_systemd; then
		left="$left
  - start the services: systemctl enable --now tradeswim.target"
		[ "$TRADESWIM_ENVIRONMENT" = LIVE ] || left="$left tradeswim-paper.service"
		return
	fi
	systemctl enable --quiet tradeswim.target
	if [ "$TRADESWIM_ENVIRONMENT" = PAPER ]; then
		systemctl enable --quiet tradeswim-paper.service
	else
		systemctl disable --quiet --now tradeswim-paper.service 2>/dev/null || true
	fi
	say "starting"
	systemctl start --no-block tradeswim.target # one that cannot start would be waited for in vain
}

self_sign() {
	install -d -m 0700 "$CERTIFICATES"
	if ! openssl x509 -in "$CERTIFICATES/$HOST.pem" -noout -checkend 86400 >/dev/null 2>&1; then
		say "making a certificate that no browser trusts"
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
			-subj "/CN=$HOST" -addext "subjectAltName=DNS:$HOST" \
			-keyout "$CERTIFICATES/$HOST.key" -out "$CERTIFICATES/$HOST.pem" 2>/dev/null
	fi
	CERTIFICATE=$CERTIFICATES/$HOST.pem CERTIFICATE_KEY=$CERTIFICATES/$HOST.key
}

# Write the site, test it, and let nginx take it; a site that nginx refuses is taken back.
write_site() {
	PORT=$(kept PORT) HTTPS=$HTTPS HTTP=$HTTP IPV6=$(ls /proc/net/if_inet6 2>/dev/null || true) \
		HOST=$HOST CERTIFICATE=$CERTIFICATE CERTIFICATE_KEY=$CERTIFICATE_KEY ACME=$ACME \
		"$CURRENT/deploy/nginx/render" >"$SITE.new"
	[ ! -e "$SITE" ] || cp "$SITE" "$SITE.before"
	mv "$SITE.new" "$SITE"
	ln -sf ../sites-available/tradeswim.conf /etc/nginx/sites-enabled/tradeswim.conf
	if ! nginx -t -q; then
		[ ! -e "$SITE.before" ] || mv "$SITE.before" "$SITE"
		die "nginx refuses the site; see the lines above."
	fi
	rm -f "$SITE.before"
	if has_systemd; then
		systemctl enable --quiet nginx
		systemctl reload-or-restart nginx
	fi
}

make_site() {
	say "making the site"
	install -d -m 0755 "$ACME"
	if [ "$(readlink /etc/nginx/sites-enabled/default 2>/dev/null)" = /etc/nginx/sites-available/default ]; then
		rm /etc/nginx/sites-enabled/default # Debian's page of welcome, which would be the default server
	fi
	[ "$TLS" = given ] || self_sign # with certbot only until there is a better one
	live=/etc/letsencrypt/live/$HOST
	if [ "$TLS" = certbot ] && [ -e "$live/fullchain.pem" ]; then
		CERTIFICATE=$live/fullchain.pem CERTIFICATE_KEY=$live/privkey.pem
	fi
	write_site
	if [ "$TLS" = certbot ]; then
		use_certbot
	fi
	has_systemd || left="$left
  - start nginx"
}

use_certbot() {
	install -d -m 0755 /etc/letsencrypt/renewal-hooks/deploy
	install -m 0755 "$CURRENT/deploy/certbot/reload-nginx" /etc/letsencrypt/renewal-hooks/deploy/tradeswim
	if [ ! -e "$live/fullchain.pem" ] && has_systemd; then
		say "asking for a certificate"
		certbot certonly --non-interactive --agree-tos --email "$CERTBOT_EMAIL" --key-type ecdsa \
			--webroot --webroot-path "$ACME" --domain "$HOST"
	fi
	if [ -e "$live/fullchain.pem" ]; then
		CERTIFICATE=$live/fullchain.pem CERTIFICATE_KEY=$live/privkey.pem
		write_site
	else
		left="$left
  - when nginx runs and $HOST leads here, run this again: it asks for the certificate then"
	fi
}

tell() {
	address=$(kept TRADESWIM_WEB_URL)
	if has_systemd; then
		wait_until_serving "$address/sign-in/" ||
			die "it does not serve yet. Look: systemctl list-units 'tradeswim*'; journalctl -u 'tradeswim*' -e"
	fi
	say "release $name, $TRADESWIM_ENVIRONMENT, $address"
	[ -z "$left" ] || echo "Left to do:$left"
}

main
