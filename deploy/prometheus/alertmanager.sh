#!/bin/sh
# Adds the receivers that .env names to alertmanager.yml, whose last line is the receiver's name, and
# starts Alertmanager. Its passwords are files.
set -eu

here=$(dirname "$0")
config=${ALERTMANAGER_CONFIG:-/tmp/alertmanager.yml}
secrets=${ALERTMANAGER_SECRETS:-/run/secrets}

[ -z "${ALERT_MAIL_TO:-}" ] || : \
	"${ALERT_MAIL_FROM:?set it in .env, with ALERT_MAIL_TO}" \
	"${ALERT_MAIL_HOST:?set it in .env, as host:587}"

quoted() { printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"; }

mail() {
	echo "    email_configs:"
	echo "      - to: $(quoted "$ALERT_MAIL_TO")"
	echo "        from: $(quoted "$ALERT_MAIL_FROM")"
	echo "        smarthost: $(quoted "$ALERT_MAIL_HOST")"
	echo "        send_resolved: true"
	[ -z "${ALERT_MAIL_USER:-}" ] || {
		echo "        auth_username: $(quoted "$ALERT_MAIL_USER")"
		echo "        auth_password_file: $(quoted "$secrets/alert_mail_password")"
	}
}

slack() {
	echo "    slack_configs:"
	echo "      - api_url_file: $(quoted "$secrets/alert_slack_url")"
	echo "        channel: $(quoted "$ALERT_SLACK_CHANNEL")"
	echo "        send_resolved: true"
}

webhook() {
	echo "    webhook_configs: [{url: $(quoted "$ALERT_WEBHOOK_URL")}]"
}

receivers() {
	[ -z "${ALERT_MAIL_TO:-}" ] || mail
	[ -z "${ALERT_SLACK_CHANNEL:-}" ] || slack
	[ -z "${ALERT_WEBHOOK_URL:-}" ] || webhook
}

{ cat "$here/alertmanager.yml" && receivers; } > "$config"
exec "${ALERTMANAGER:-/bin/alertmanager}" --config.file="$config" "$@"
