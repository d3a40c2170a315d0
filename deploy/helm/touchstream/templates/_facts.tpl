{{/* What is true of each role, whatever the values say. A test compares it with the settings. */}}
{{- define "touchstream.facts" -}}
collector: {command: collect, port: 8080, host: TOUCHSTREAM_COLLECTOR_HOST, ready: /healthz/ready, grace: 45, visited: true, kafka: true, otel: true}
tracker: {command: track, port: 9101, host: TOUCHSTREAM_METRICS_HOST, grace: 90, kafka: true, group: touchstream-tracker, topic: touchpoints.raw, otel: true}
drain: {command: drain, port: 9105, host: TOUCHSTREAM_METRICS_HOST, grace: 45, kafka: true}
sink: {command: sink, port: 9102, host: TOUCHSTREAM_METRICS_HOST, grace: 45, kafka: true, clickhouse: sink, group: touchstream-sink, otel: true}
watch: {command: watch, port: 9103, host: TOUCHSTREAM_METRICS_HOST, grace: 30, kafka: true, clickhouse: watch, alertmanager: true}
live: {command: live, port: 8090, host: TOUCHSTREAM_LIVE_HOST, live: /healthz/ready, ready: /healthz/ready, grace: 30, visited: true, clickhouse: reader}
webhook: {command: webhook, port: 9104, host: TOUCHSTREAM_METRICS_HOST, grace: 45, kafka: true, webhooks: true}
topics: {command: topics, kafka: true}
migrate: {command: migrate, clickhouse: migrator}
{{- end }}

{{- define "touchstream.name" -}}
{{ .Release.Name }}-{{ .name }}
{{- end }}

{{- define "touchstream.selector" -}}
app.kubernetes.io/name: touchstream
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "touchstream.labels" -}}
{{ include "touchstream.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
