package monitors

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

// mongo plays a server that answers hello with a document.
func mongo(t testing.TB, document any) func(net.Conn) {
	body, err := bson.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return func(c net.Conn) {
		var header [opHeader]byte
		if _, err := io.ReadFull(c, header[:]); err != nil {
			return
		}
		asked := make([]byte, binary.LittleEndian.Uint32(header[:])-opHeader)
		if _, err := io.ReadFull(c, asked); err != nil {
			return
		}
		var command struct {
			Hello int    `bson:"hello"`
			DB    string `bson:"$db"`
		}
		if bson.Unmarshal(asked[5:], &command) != nil || command.Hello != 1 || command.DB != "admin" {
			return
		}
		wire := []byte{}
		for _, n := range []uint32{uint32(opHeader + 5 + len(body)), 99, binary.LittleEndian.Uint32(header[4:]), opMsg, 0} {
			wire = binary.LittleEndian.AppendUint32(wire, n)
		}
		_, _ = c.Write(append(append(wire, opBody), body...))
	}
}

func TestMongoDBHello(t *testing.T) {
	primary := bson.D{
		{Key: "isWritablePrimary", Value: true}, {Key: "setName", Value: "rs0"}, {Key: "hosts", Value: bson.A{"a:1", "b:1", "c:1"}},
		{Key: "maxWireVersion", Value: int32(21)}, {Key: "ok", Value: 1.0},
	}
	for _, row := range []struct {
		name      string
		document  bson.D
		condition string
		reason    string // "" = good
	}{
		{"primary", primary, `writable && set == "rs0" && members == 3 && wire_version >= 17`, ""},
		{"secondary", bson.D{{Key: "secondary", Value: true}, {Key: "ok", Value: int32(1)}}, "", ""},
		{"secondary where a primary is wanted", bson.D{{Key: "secondary", Value: true}, {Key: "ok", Value: 1.0}}, "writable", "does not hold"},
		{"recovering", bson.D{{Key: "isWritablePrimary", Value: false}, {Key: "secondary", Value: false}, {Key: "ok", Value: 1.0}}, "", "neither writable nor a secondary"},
		{"refuses", bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: "go away"}}, "", `the server says "go away"`},
		{"other types", bson.D{{Key: "ok", Value: "yes"}}, "", "not a hello"},
	} {
		spec := config.Monitor{Kind: "mongodb", Target: serve(t, mongo(t, row.document)), Expect: config.Expect{Condition: row.condition}}
		res := ask(t, spec)
		if row.reason == "" {
			wantResult(t, res, status.OK, status.CauseNone, "")
		} else {
			wantResult(t, res, status.Failed, status.CauseBadAnswer, row.reason)
		}
	}
	a := newAuthority(t, time.Now().Add(365*24*time.Hour))
	at := serve(t, func(c net.Conn) { mongo(t, primary)(tlsServer(c, a)) })
	wantResult(t, ask(t, config.Monitor{Kind: "mongodb", URL: "mongodb://" + at + "/?tls=true", TLS: config.TLS{CAFile: a.File}}), status.OK, status.CauseNone, "")
}

func FuzzMongoAnswer(f *testing.F) {
	good, err := bson.Marshal(bson.D{{Key: "ok", Value: 1.0}, {Key: "hosts", Value: bson.A{"a"}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append([]byte{0, 0, 0, 0, 0}, good...))
	f.Add(append([]byte{1, 0, 0, 0, 0}, append(good, 1, 2, 3, 4)...))
	f.Add([]byte{0, 0, 0, 0, 0})
	f.Add([]byte{1, 0, 0, 0, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = decodeMongo(b) // must not panic
	})
}
