{{/* The pod of a role or a job: `name`, its `facts`, its values as `role`. */}}
{{- define "touchstream.pod" -}}
automountServiceAccountToken: false
# Or Kubernetes would set TOUCHSTREAM_COLLECTOR_PORT=tcp://... for a service of that name.
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
containers:
  - name: touchstream
    image: {{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) | quote }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    args: [{{ .facts.command }}]
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
    env:
      - {name: TOUCHSTREAM_SECRETS_DIR, value: /run/secrets/touchstream}
      - {name: TOUCHSTREAM_CONFIG, value: /etc/touchstream/touchstream.toml}
      {{- with .facts.host }}
      - {name: {{ . }}, value: "0.0.0.0"}
      {{- end }}
      {{- if .facts.kafka }}
      - {name: TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS, value: {{ required "kafka.bootstrapServers is required" .Values.kafka.bootstrapServers | quote }}}
      - {name: TOUCHSTREAM_KAFKA_PREFIX, value: {{ .Values.kafka.prefix | quote }}}
      - {name: TOUCHSTREAM_KAFKA_PARTITIONS, value: {{ .Values.kafka.partitions | quote }}}
      - {name: TOUCHSTREAM_KAFKA_REPLICATION, value: {{ .Values.kafka.replication | quote }}}
      - {name: TOUCHSTREAM_KAFKA_TLS, value: {{ .Values.kafka.tls | quote }}}
      - {name: TOUCHSTREAM_KAFKA_SASL, value: {{ .Values.kafka.sasl | quote }}}
      {{- end }}
      {{- with .facts.clickhouse }}
      - {name: TOUCHSTREAM_CLICKHOUSE_URL, value: {{ required "clickhouse.url is required" $.Values.clickhouse.url | quote }}}
      - {name: TOUCHSTREAM_CLICKHOUSE_DATABASE, value: {{ $.Values.clickhouse.database | quote }}}
      - {name: TOUCHSTREAM_CLICKHOUSE_USER, value: {{ . }}}
      {{- end }}
      {{- if eq .name "live" }}
      - {name: TOUCHSTREAM_LIVE_COLLECTOR, value: "http://{{ .Release.Name }}-collector:{{ .Values.roles.collector.service.port }}"}
      {{- with .Values.ingress.live.host }}
      - {name: TOUCHSTREAM_LIVE_URL, value: "https://{{ . }}"}
      {{- end }}
      {{- end }}
      {{- if .facts.otel }}
      {{- range $name, $value := .Values.otel }}
      - {name: {{ $name }}, value: {{ $value | quote }}}
      {{- end }}
      {{- end }}
    {{- with .facts.port }}
    ports:
      - {name: http, containerPort: {{ . }}}
    # 503 once it makes no progress; see TOUCHSTREAM_STALL_AFTER.
    livenessProbe:
      httpGet: {path: {{ $.facts.live | default "/healthz/live" }}, port: http}
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    readinessProbe:
      httpGet: {path: {{ $.facts.ready | default "/healthz/live" }}, port: http}
      periodSeconds: 5
      timeoutSeconds: 5
    # A tracker first reads its memory from Kafka.
    startupProbe:
      httpGet: {path: {{ $.facts.live | default "/healthz/live" }}, port: http}
      periodSeconds: 5
      timeoutSeconds: 5
      failureThreshold: 120
    {{- if $.facts.visited }}
    # Requests still arrive until every node knows that the pod leaves.
    lifecycle: {preStop: {sleep: {seconds: 10}}}
    {{- end }}
    {{- end }}
    {{- with .role.resources }}
    resources: {{- toYaml . | nindent 6 }}
    {{- end }}
    volumeMounts:
      - {name: tmp, mountPath: /tmp}
      - {name: config, mountPath: /etc/touchstream, readOnly: true}
      - {name: secrets, mountPath: /run/secrets/touchstream, readOnly: true}
volumes:
  - {name: tmp, emptyDir: {sizeLimit: 64Mi}}
  - name: config
    configMap: {name: {{ .Release.Name }}-{{ ternary "config" "job-config" (hasKey .facts "port") }}}
  - name: secrets
    secret: {secretName: {{ .role.secret | quote }}, defaultMode: 0440, optional: true}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
