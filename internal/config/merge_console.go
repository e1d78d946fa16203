package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v4"
)

// ProbeVariable begins the names of environment variables that definitions made
// in the console may refer to. Others could be read by sending them to a target
// of one's own.
const ProbeVariable = "PROBE_"

// SealBy seals a secret for one purpose; UnsealBy opens what it made for the same.
type (
	SealBy   func(purpose string, plain []byte) (sealed string, err error)
	UnsealBy func(purpose, sealed string) (plain []byte, err error)
)

// Seal gives the document with its plain secrets sealed, so that it can be
// kept. What has none comes back as it was, and what cannot be read too: Merge
// says what is wrong with it. Errors: those of seal.
//
// A sealed secret is bound to its monitor and to where it is sent: whoever
// changes the target has to know the secret.
func Seal(d Document, seal SealBy) (Document, error) {
	if d.Kind != KindMonitor || len(d.Text) > MaxDocumentBytes {
		return d, nil
	}
	doc, problems := openDocument(d)
	if problems != nil {
		return d, nil
	}
	var m Monitor
	if problems := decode(doc, &m); problems != nil {
		return d, nil
	}
	changed := false
	var failed error
	m.eachSecret(func(path string, s *Secret) {
		if s.Plain == "" || failed != nil {
			return
		}
		node := doc.node(path)
		if node == nil {
			return
		}
		sealed, err := seal(m.purpose(path), []byte(s.Plain))
		if err != nil {
			failed = fmt.Errorf("seal %s: %w", path, err)
			return
		}
		*node = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: yaml.FlowStyle, LineComment: node.LineComment, Content: []*yaml.Node{
			{Kind: yaml.ScalarNode, Tag: "!!str", Value: "sealed"}, {Kind: yaml.ScalarNode, Tag: "!!str", Value: sealed},
		}}
		changed = true
	})
	if failed != nil || !changed {
		return d, failed
	}
	var b bytes.Buffer
	out := yaml.NewEncoder(&b)
	out.SetIndent(2)
	if err := out.Encode(doc.root); err != nil {
		return d, fmt.Errorf("write %s: %w", d.Name(), err)
	}
	if err := out.Close(); err != nil {
		return d, fmt.Errorf("write %s: %w", d.Name(), err)
	}
	d.Text = b.String()
	return d, nil
}

// purpose names what a secret of a monitor is for: whose it is, and everything
// that decides where it is sent and who may read it on the way.
func (m *Monitor) purpose(path string) string {
	h := sha256.New()
	for _, part := range []string{m.Kind, m.URL, m.Target, m.Host, m.Proxy, m.Resolver, m.StartTLS, m.Auth.OAuth2.TokenURL,
		m.TLS.ServerName, fmt.Sprint(m.TLS.Insecure)} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return "monitor/" + m.ID + "/" + path + "/" + hex.EncodeToString(h.Sum(nil)[:16])
}

// openDocument turns a document into a tree. Anchors and aliases have no place in it.
func openDocument(d Document) (*document, Problems) {
	doc, problems := open(d.Name(), []byte(d.Text))
	if problems != nil {
		for i := range problems { // the reader speaks of a file
			problems[i].Reason = strings.Replace(problems[i].Reason, "the file", "the definition", 1)
			problems[i].Hint = strings.Replace(problems[i].Hint, "start with page: — evenkeel init writes an example", "write key: value, one a line", 1)
		}
		return nil, problems
	}
	doc.console = true
	if n := anchored(doc.root); n != nil {
		at := position(n)
		return nil, Problems{{File: doc.name, Line: at.line, Column: at.column, Reason: "anchors and aliases are not used in a definition", Hint: "write it out"}}
	}
	return doc, nil
}

// anchored finds an anchor or alias.
func anchored(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return n
	}
	for _, child := range n.Content {
		if found := anchored(child); found != nil {
			return found
		}
	}
	return nil
}

// node finds what stands at a path; nil when nothing does.
func (d *document) node(path string) *yaml.Node {
	n, rest := d.root, path
	for rest != "" {
		child, left, ok := step(n, rest)
		if !ok {
			return nil
		}
		n, rest = child, left
	}
	return n
}

// secretHeader are parts of header names whose values are secrets.
var secretHeader = []string{"auth", "cookie", "token", "secret", "key", "password", "session"}

// console checks what a monitor made in the console may not do: run programs,
// read files of the hub's machine or variables of its environment, and keep
// secrets in the clear. It opens sealed secrets, in memory only.
func (m *merging) console(doc *document, mon *Monitor) (problems Problems) {
	add := func(path, hint, reason string, args ...any) {
		where, _ := doc.at(path)
		problems = append(problems, Problem{File: doc.name, Line: where.line, Column: where.column, Path: path, Reason: fmt.Sprintf(reason, args...), Hint: hint})
	}
	const inFile = "define this monitor in the configuration file"
	if mon.Kind == "exec" {
		add("kind", inFile, "programs of the hub's machine are not run from here")
		mon.Kind, mon.Command = "", nil
	}
	for _, f := range []struct {
		path string
		name *string
	}{
		{"body_file", &mon.BodyFile}, {"tls.ca_file", &mon.TLS.CAFile}, {"tls.cert_file", &mon.TLS.CertFile}, {"tls.key_file", &mon.TLS.KeyFile},
	} {
		if *f.name != "" {
			add(f.path, inFile, "files of the hub's machine are not read from here")
			*f.name = "" // the checks that follow must not even look whether it is there
		}
	}
	for _, u := range []struct{ path, value string }{{"url", mon.URL}, {"proxy", mon.Proxy}, {"auth.oauth2.token_url", mon.Auth.OAuth2.TokenURL}} {
		if hasPassword(u.value) {
			add(u.path, "write auth: {username: …, password: …}, which is sealed", "a password in a URL would be kept in the clear")
		}
	}
	for _, name := range sortedKeys(mon.Headers) {
		if secretName(name) && len(references(mon.Headers[name])) == 0 {
			add("headers."+name, "write auth: {bearer: …}, which is sealed, or ${"+ProbeVariable+"NAME}", "this header would be kept in the clear")
		}
	}
	mon.eachReference(func(path, name string) {
		if !strings.HasPrefix(name, ProbeVariable) {
			add(path, "only variables that begin with "+ProbeVariable+" can be used from here", "the variable %s is not for probes", clip(name))
		}
	})
	mon.eachSecret(func(path string, s *Secret) {
		switch {
		case s.File != "":
			add(path, "write the secret itself, which is sealed, or "+inFile, "files of the hub's machine are not read from here")
			*s = Secret{}
		case s.Env != "" && !strings.HasPrefix(s.Env, ProbeVariable):
			add(path, "write the secret itself, which is sealed, or a variable that begins with "+ProbeVariable, "the variable %s is not for probes", clip(s.Env))
			*s = Secret{}
		case s.Plain != "":
			add(path, "write {env: "+ProbeVariable+"NAME}", "a secret is not kept in the clear")
		case s.Sealed == "":
		case m.o.Unseal == nil:
			add(path, "the hub needs its key file", "this sealed secret cannot be opened")
		default:
			plain, err := m.o.Unseal(mon.purpose(path), s.Sealed)
			if err != nil {
				add(path, "write the secret again", "it was sealed for another target or with another key")
				return
			}
			*s = Secret{Plain: string(plain)}
		}
	})
	return problems
}

// hasPassword reports whether a URL holds one.
func hasPassword(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil { // such as several hosts, which net/url does not read
		_, host, found := strings.Cut(raw, "://")
		user, _, at := strings.Cut(host, "@")
		return found && at && strings.Contains(user, ":")
	}
	_, has := u.User.Password()
	return has
}

// secretName reports whether a header of this name holds a secret.
func secretName(header string) bool {
	header = strings.ToLower(header)
	for _, part := range secretHeader {
		if strings.Contains(header, part) {
			return true
		}
	}
	return false
}
