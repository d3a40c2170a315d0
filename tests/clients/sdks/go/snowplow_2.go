package main

import (
	"strings"
	"time"

	sp "github.com/snowplow/snowplow-golang-tracker/v2/tracker"
)

func start(url, key string) (func(string, map[string]interface{}), func()) {
	host := sp.RequireCollectorUri(strings.TrimPrefix(url, "http://"))
	emitter := sp.InitEmitter(host, sp.OptionStorage(sp.InitStorageMemory()), sp.OptionProtocol("http"))
	subject := sp.InitSubject()
	subject.SetUserId("u-1")
	tracker := sp.InitTracker(sp.RequireEmitter(emitter), sp.OptionSubject(subject), sp.OptionAppId(key))
	send := func(event string, properties map[string]interface{}) {
		schema := "iglu:com.example/" + strings.Replace(event, " ", "_", 1) + "/jsonschema/1-0-0"
		told := sp.InitSelfDescribingJson(schema, properties)
		tracker.TrackSelfDescribingEvent(sp.SelfDescribingEvent{Event: told})
	}
	return send, func() { time.Sleep(time.Second); tracker.FlushEmitter(); time.Sleep(15 * time.Second) }
}
