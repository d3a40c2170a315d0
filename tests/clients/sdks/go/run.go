// Runs a client: run URL KEY EVENTS MILLISECONDS
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	events, _ := strconv.Atoi(os.Args[3])
	every, _ := strconv.Atoi(os.Args[4])
	send, end := start(os.Args[1], os.Args[2])
	for n := 1; n <= events; n++ {
		send(fmt.Sprintf("Event %d", n), map[string]interface{}{"n": n, "note": "Größe ✓"})
		time.Sleep(time.Duration(every) * time.Millisecond)
	}
	end()
}
