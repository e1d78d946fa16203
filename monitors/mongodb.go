package monitors

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// mongodbKeys are the options of kind mongodb.
var mongodbKeys = slices.Concat([]string{"url", "target", "expect.condition"}, dialKeys, tlsKeys, certKeys)

// mongodbSchemes are the forms of its URL; ?tls=true asks for TLS.
var mongodbSchemes = map[string]scheme{"mongodb": {port: "27017"}}

// Numbers of the wire protocol (MongoDB specification of OP_MSG).
const (
	opMsg          = 2013
	opHeader       = 16      // bytes: length, request id, answered id, code
	opChecksum     = 1       // flag: a checksum follows
	opBody         = 0       // section kind: one document
	maxMongoAnswer = 1 << 20 // bytes of an answer that are read
)

// mongodbProbe says hello to one server, as drivers do before anything else. It
// needs no user. The server must be able to serve: writable, or a secondary.
type mongodbProbe struct {
	dial   *Dialer
	at     target
	secure *tls.Config // nil = plain text
	certs  certLimits
	cond   *Condition
}

// mongodbFacts is what a condition may ask of a server.
type mongodbFacts struct {
	Latency  float64 `expr:"latency"`  // ms
	Writable bool    `expr:"writable"` // a primary, a router or a server alone
	Second   bool    `expr:"secondary"`
	Set      string  `expr:"set"` // name of the replica set; "" for none
	Members  int     `expr:"members"`
	Wire     int     `expr:"wire_version"`
}

// compileMongoDB is the kind mongodb. Errors: Invalid.
func compileMongoDB(spec config.Monitor, env *Env) (Probe, error) {
	var found problem.Errors
	p := &mongodbProbe{certs: env.certLimits(spec)}
	var err error
	p.dial, err = env.Dialer(spec)
	found = collect(found, err)
	p.at, err = compileTarget(spec, mongodbSchemes, "mongodb")
	found = collect(found, err)
	wanted := spec.TLS != (config.TLS{})
	if p.at.url != nil {
		if p.at.url.User != nil {
			found = append(found, problem.Invalid("url", "names a user, and hello needs none"))
		}
		wanted = wanted || p.at.url.Query().Get("tls") == "true"
	}
	secure, err := env.tlsFor(spec, p.at)
	found = collect(found, err)
	if wanted {
		p.secure = secure
	}
	p.cond, err = env.Condition("expect.condition", spec.Expect.Condition, mongodbFacts{})
	return p, collect(found, err).Err()
}

// Close has nothing to let go of.
func (p *mongodbProbe) Close() {}

// Probe says hello once.
func (p *mongodbProbe) Probe(ctx context.Context, run *Run) status.Result {
	d, res, ok := opening{dial: p.dial, at: p.at, secure: p.secure}.open(ctx, run)
	if !ok {
		return res
	}
	defer d.close()
	answer, err := d.mongoHello()
	run.Mark(status.PhaseWait)
	if err != nil {
		return failTalk(ctx, run, err, "saying hello")
	}
	return p.judge(run, answer)
}

// mongoAnswer is what a server says of itself, as far as it matters here.
// Numbers may come as any BSON number.
type mongoAnswer struct {
	OK       float64  `bson:"ok"`
	Error    string   `bson:"errmsg"`
	Writable bool     `bson:"isWritablePrimary"`
	Second   bool     `bson:"secondary"`
	Arbiter  bool     `bson:"arbiterOnly"`
	Set      string   `bson:"setName"`
	Hosts    []string `bson:"hosts"`
	Wire     int      `bson:"maxWireVersion"`
}

// judge says whether the server can serve.
func (p *mongodbProbe) judge(run *Run, answer mongoAnswer) status.Result {
	took := run.Elapsed()
	run.Log("writable %t, secondary %t, set %s, wire version %d", answer.Writable, answer.Second, quote(answer.Set), answer.Wire)
	switch {
	case answer.OK != 1:
		return run.Fail(status.CauseBadAnswer, "the server says %s", quote(answer.Error))
	case !answer.Writable && !answer.Second && !answer.Arbiter:
		return run.Fail(status.CauseBadAnswer, "the server is neither writable nor a secondary: it is starting, recovering or removed from its set")
	}
	return conclude(run, took, p.certs, p.cond, mongodbFacts{
		Latency: milliseconds(took), Writable: answer.Writable, Second: answer.Second, Set: answer.Set, Members: len(answer.Hosts), Wire: answer.Wire,
	})
}

// mongoHello sends the command hello in an OP_MSG and reads its answer.
func (d *dialogue) mongoHello() (mongoAnswer, error) {
	var answer mongoAnswer
	command, err := bson.Marshal(bson.D{{Key: "hello", Value: int32(1)}, {Key: "$db", Value: "admin"}})
	if err != nil {
		return answer, err
	}
	const request = 1
	wire := make([]byte, 0, opHeader+5+len(command))
	for _, n := range []uint32{uint32(cap(wire)), request, 0, opMsg, 0} {
		wire = binary.LittleEndian.AppendUint32(wire, n)
	}
	wire = append(append(wire, opBody), command...)
	d.run.Log("> hello")
	if _, err := d.conn.Write(wire); err != nil {
		return answer, err
	}
	var header [opHeader]byte
	if _, err := io.ReadFull(d.r, header[:]); err != nil {
		return answer, err
	}
	length, code := binary.LittleEndian.Uint32(header[0:]), binary.LittleEndian.Uint32(header[12:])
	if code != opMsg || binary.LittleEndian.Uint32(header[8:]) != request {
		return answer, wrongf("the answer is not of MongoDB")
	}
	if length < opHeader+5 || length > maxMongoAnswer {
		return answer, wrongf("the answer announces %d bytes", length)
	}
	body := make([]byte, length-opHeader)
	if _, err := io.ReadFull(d.r, body); err != nil {
		return answer, err
	}
	return decodeMongo(body)
}

// decodeMongo reads flags and the one document of an OP_MSG.
func decodeMongo(body []byte) (mongoAnswer, error) {
	var answer mongoAnswer
	if len(body) < 5 || body[4] != opBody {
		return answer, wrongf("the answer is not one document")
	}
	document := body[5:]
	if binary.LittleEndian.Uint32(body)&opChecksum != 0 {
		document = document[:max(0, len(document)-4)]
	}
	if err := bson.Raw(document).Validate(); err != nil {
		return answer, wrongf("the answer is not a document: %s", printable(err.Error(), maxQuoted))
	}
	if err := bson.Unmarshal(document, &answer); err != nil {
		return answer, wrongf("the answer is not a hello: %s", printable(err.Error(), maxQuoted))
	}
	return answer, nil
}
