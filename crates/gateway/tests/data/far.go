// A far side on Go's net/http: says each request it understood as a line of JSON on stdout.
// Bytes are written as Latin-1 characters, so that none is lost.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
)

type seen struct {
	Method  string      `json:"method"`
	Target  string      `json:"target"`
	Headers [][2]string `json:"headers"`
	Body    string      `json:"body"`
}

func latin1(bytes string) string {
	runes := make([]rune, 0, len(bytes))
	for i := 0; i < len(bytes); i++ {
		runes = append(runes, rune(bytes[i]))
	}
	return string(runes)
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	var lines sync.Mutex
	encoder := json.NewEncoder(os.Stdout)
	answer := func(to http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		it := seen{request.Method, latin1(request.RequestURI), nil, latin1(string(body))}
		it.Headers = append(it.Headers, [2]string{"host", latin1(request.Host)})
		for name, values := range request.Header {
			for _, value := range values {
				it.Headers = append(it.Headers, [2]string{name, latin1(value)})
			}
		}
		lines.Lock()
		encoder.Encode(it)
		lines.Unlock()
		io.WriteString(to, "seen\n")
	}
	// Left to itself it answers `OPTIONS *` without asking.
	server := http.Server{Handler: http.HandlerFunc(answer), DisableGeneralOptionsHandler: true}
	panic(server.Serve(listener))
}
