package message

// signedContent takes the mail out of an opaque S/MIME signature (RFC 8551
// section 3.5.2): the eContent of a CMS SignedData (RFC 5652 section 5.1), in
// DER or BER. ok is false when there is none; nothing is verified.
func signedContent(raw []byte) (content []byte, ok bool) {
	info, _, ok := berElement(raw, 0x30) // ContentInfo
	if !ok {
		return nil, false
	}
	_, rest, ok := berElement(info, 0x06) // signedData
	if !ok {
		return nil, false
	}
	explicit, _, ok := berElement(rest, 0xa0)
	if !ok {
		return nil, false
	}
	signed, _, ok := berElement(explicit, 0x30)
	if !ok {
		return nil, false
	}
	_, rest, ok = berElement(signed, 0x02) // version
	if !ok {
		return nil, false
	}
	_, rest, ok = berElement(rest, 0x31) // digest algorithms
	if !ok {
		return nil, false
	}
	encapsulated, _, ok := berElement(rest, 0x30)
	if !ok {
		return nil, false
	}
	_, rest, ok = berElement(encapsulated, 0x06) // data
	if !ok {
		return nil, false
	}
	explicit, _, ok = berElement(rest, 0xa0)
	if !ok {
		return nil, false
	}
	return berOctets(explicit, 0)
}

// maxBERDepth is how deep strings are made of strings.
const maxBERDepth = 4

// berOctets reads an octet string, whole or in pieces.
func berOctets(b []byte, depth int) (content []byte, ok bool) {
	if whole, _, ok := berElement(b, 0x04); ok {
		return whole, true
	}
	pieces, _, ok := berElement(b, 0x24)
	if !ok || depth > maxBERDepth {
		return nil, false
	}
	for len(pieces) > 1 && (pieces[0] == 0x04 || pieces[0] == 0x24) {
		part, ok := berOctets(pieces, depth+1)
		if !ok {
			break
		}
		content = append(content, part...)
		_, rest, ok := berElement(pieces, pieces[0])
		if !ok {
			break
		}
		pieces = rest
	}
	return content, len(content) > 0
}

// berElement reads one element of a tag and gives what is in it, and what
// follows. An element that is cut, or of indefinite length, reaches to the end:
// enough of it is read for what is wanted here.
func berElement(b []byte, tag byte) (content, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	n, at := int(b[1]), 2
	switch {
	case n == 0x80:
		return b[at:], nil, true
	case n > 0x84:
		return nil, nil, false
	case n > 0x80:
		size := n - 0x80
		if len(b) < at+size {
			return nil, nil, false
		}
		n = 0
		for _, c := range b[at : at+size] {
			n = n<<8 | int(c)
		}
		at += size
	}
	end := min(at+n, len(b))
	return b[at:end], b[end:], true
}
