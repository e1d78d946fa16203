package console

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"evenkeel/internal/access"
	"evenkeel/internal/markup"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// Limits of what is put into a message that is shown as it was sent.
const (
	maxInline    = 1 << 20 // bytes of one inline image
	maxInlineAll = 4 << 20 // of all of them
)

// mailPolicy is what a message may do that is shown as it was sent: nothing but
// look like it did. It has an origin of its own (sandbox), no script, and nothing
// is fetched but remote images, and those only when somebody asked for them.
const (
	mailPolicy       = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'; img-src data:"
	mailPolicyImages = mailPolicy + " https:"
	// filePolicy is for bytes that strangers sent and that a browser may show.
	filePolicy = "sandbox; default-src 'none'; frame-ancestors 'none'"
)

// seen are the types of attachments that a browser may show: pictures that run
// nothing. SVG is no such picture.
var seen = []string{"image/png", "image/jpeg", "image/gif", "image/webp"}

// message finds a message of a ticket that the person may read.
func (c *Console) message(ctx context.Context, by access.Actor, id, message string) (ticket.Message, error) {
	list, err := c.deps.Tickets.Messages(ctx, by, id)
	if err != nil {
		return ticket.Message{}, err
	}
	for _, m := range list {
		if m.ID == message {
			return m, nil
		}
	}
	return ticket.Message{}, problem.NotFound("There is no such message.")
}

// messageHTML shows a message as it was sent, made safe, with an origin of its
// own and nothing from elsewhere unless that was asked for.
func (c *Console) messageHTML(w http.ResponseWriter, r *http.Request) error {
	m, err := c.message(r.Context(), guestOf(r).Actor, r.PathValue("id"), r.PathValue("message"))
	if err != nil {
		return err
	}
	if m.HTML == "" {
		return problem.NotFound("This message has no other form than the one shown.")
	}
	images := r.URL.Query().Get("images") != ""
	h := w.Header()
	h.Set("Content-Security-Policy", mailPolicy)
	if images {
		h.Set("Content-Security-Policy", mailPolicyImages)
	}
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Type", "text/html; charset=utf-8")
	body, _ := markup.MailHTML(m.HTML, markup.MailOptions{RemoteImages: images, Inline: c.inlineImages(r.Context(), &m)})
	_, _ = io.WriteString(w, mailHead+string(body)+"</body></html>") // who asked may have gone
	return nil
}

// mailHead begins a message that is shown as it was sent.
const mailHead = `<!doctype html><html lang=""><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Message</title><base target="_blank">` +
	`<style>body{font:14px/1.5 system-ui,sans-serif;color:#10181f;background:#fff;margin:12px;overflow-wrap:anywhere}img{max-width:100%;height:auto}blockquote{margin:0 0 0 8px;padding-left:8px;border-left:2px solid #b9c3c9}pre{white-space:pre-wrap}.mail-blocked-image{display:inline-block;padding:2px 8px;border:1px dashed #7d8992;color:#4a5660}table{max-width:100%}</style></head><body>`

// inlineImages gives the pictures that a message carries, by their Content-ID, as
// addresses that hold them. A message with an origin of its own could not ask
// for them.
func (c *Console) inlineImages(ctx context.Context, m *ticket.Message) func(id string) string {
	left := int64(maxInlineAll)
	return func(id string) string {
		n := slices.IndexFunc(m.Attachments, func(a ticket.Attachment) bool { return a.ContentID != "" && a.ContentID == id })
		if n < 0 {
			return ""
		}
		a := m.Attachments[n]
		if !slices.Contains(seen, a.Type) || a.Size > maxInline || a.Size > left {
			return ""
		}
		body, size, err := c.open(ctx, a.Hash)
		if err != nil {
			return ""
		}
		defer body.Close()
		bytes, err := io.ReadAll(io.LimitReader(body, maxInline))
		if err != nil || int64(len(bytes)) != size {
			return ""
		}
		left -= size
		return "data:" + a.Type + ";base64," + base64.StdEncoding.EncodeToString(bytes)
	}
}

// messageFile hands out an attachment: to be kept, never to be run.
func (c *Console) messageFile(w http.ResponseWriter, r *http.Request) error {
	m, err := c.message(r.Context(), guestOf(r).Actor, r.PathValue("id"), r.PathValue("message"))
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 || n >= len(m.Attachments) {
		return problem.NotFound("There is no such attachment.")
	}
	a := m.Attachments[n]
	way, kind := "attachment", "application/octet-stream"
	if slices.Contains(seen, a.Type) {
		kind = a.Type
		if r.URL.Query().Get("show") != "" {
			way = "inline"
		}
	}
	body, size, err := c.open(r.Context(), a.Hash)
	if err != nil {
		return err
	}
	defer body.Close()
	c.handOut(w, body, size, kind, way, fileName(a.Name, n))
	return nil
}

// messageRaw hands out the mail as it came.
func (c *Console) messageRaw(w http.ResponseWriter, r *http.Request) error {
	m, err := c.message(r.Context(), guestOf(r).Actor, r.PathValue("id"), r.PathValue("message"))
	if err != nil {
		return err
	}
	if m.Hash == "" {
		return problem.NotFound("This message came by no mail, or its source was erased.")
	}
	body, size, err := c.open(r.Context(), m.Hash)
	if err != nil {
		return err
	}
	defer body.Close()
	c.rawMail(w, r, body, size, "message-"+m.ID)
	return nil
}

// open opens the bytes of a hash. Errors: NotFound, Unavailable.
func (c *Console) open(ctx context.Context, hash string) (io.ReadCloser, int64, error) {
	if c.deps.Blobs == nil || hash == "" {
		return nil, 0, problem.NotFound("Its bytes are not here any more.")
	}
	return c.deps.Blobs.OpenBlob(ctx, hash)
}

// rawMail hands out the source of a mail: as text to be read, or as a file.
func (c *Console) rawMail(w http.ResponseWriter, r *http.Request, body io.Reader, size int64, name string) {
	if r.URL.Query().Get("file") != "" {
		c.handOut(w, body, size, "application/octet-stream", "attachment", name+".eml")
		return
	}
	c.handOut(w, body, size, "text/plain; charset=utf-8", "inline", name+".txt")
}

// handOut streams bytes that strangers sent.
func (c *Console) handOut(w http.ResponseWriter, body io.Reader, size int64, kind, way, name string) {
	h := w.Header()
	h.Set("Content-Security-Policy", filePolicy)
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	h.Set("Content-Disposition", mime.FormatMediaType(way, map[string]string{"filename": name}))
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if _, err := io.Copy(w, body); err != nil && !errors.Is(err, context.Canceled) {
		c.deps.Log.Info("a file was not handed out whole", "err", err)
	}
}

// maxFileName bounds the name of a file that is handed out, in letters.
const maxFileName = 120

// fileName cleans the name that a stranger gave a file: no folders, no control
// characters, nothing that turns the direction of writing.
func fileName(name string, n int) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) || strings.ContainsRune(`<>:"|?*`, r) {
			return -1
		}
		return r
	}, name)
	if name = strings.Trim(name, " ."); name == "" || name == "/" {
		name = "file-" + strconv.Itoa(n+1)
	}
	if letters := []rune(name); len(letters) > maxFileName {
		name = string(letters[:maxFileName-10]) + string(letters[len(letters)-10:])
	}
	return name
}

// remoteImage finds pictures that would be fetched from elsewhere.
var remoteImage = regexp.MustCompile(`(?i)<img\b[^>]*\bsrc\s*=\s*["']?\s*(?:https?:)?//`)

// remoteImages counts them.
func remoteImages(source string) int { return len(remoteImage.FindAllStringIndex(source, -1)) }
