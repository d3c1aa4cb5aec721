package main

import (
	"bufio"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
)

// As much of RFC 6455 as an echo of short text messages takes: frames that are whole, up to 64 KiB long, and the close.
const (
	wsText  = 0x1
	wsClose = 0x8
	wsPing  = 0x9
	wsPong  = 0xA

	// Close codes (RFC 6455, 7.4.1).
	wsNormal    = 1000
	wsGoingAway = 1001
)

// wsConn is one end of a WebSocket. A client masks what it sends, a server does not (RFC 6455, 5.1).
type wsConn struct {
	net.Conn
	reader *bufio.Reader
	client bool
}

func (c *wsConn) write(opcode byte, payload []byte) error {
	if len(payload) > 0xFFFF {
		return errors.New("websocket: the message is too long")
	}
	frame := []byte{0x80 | opcode, 0}
	if len(payload) < 126 {
		frame[1] = byte(len(payload))
	} else {
		frame[1] = 126
		frame = binary.BigEndian.AppendUint16(frame, uint16(len(payload)))
	}
	if !c.client {
		_, err := c.Write(append(frame, payload...))
		return err
	}
	frame[1] |= 0x80
	var key [4]byte
	_, _ = rand.Read(key[:])
	frame = append(frame, key[:]...)
	for i, b := range payload {
		frame = append(frame, b^key[i%4])
	}
	_, err := c.Write(frame)
	return err
}

func (c *wsConn) close(code uint16) error {
	return c.write(wsClose, binary.BigEndian.AppendUint16(nil, code))
}

// read gives the next text. The other end's close is io.EOF, whatever its code; a connection that ends without one is io.ErrUnexpectedEOF
// or what the network said.
func (c *wsConn) read() (string, error) {
	for {
		opcode, payload, err := c.frame()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
		switch opcode {
		case wsText:
			return string(payload), nil
		case wsClose:
			return "", io.EOF
		case wsPing:
			if err := c.write(wsPong, payload); err != nil {
				return "", err
			}
		case wsPong:
		default:
			return "", errors.New("websocket: a frame of a kind that is not spoken here")
		}
	}
}

func (c *wsConn) frame() (opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(c.reader, head[:]); err != nil {
		return 0, nil, err
	}
	if head[0]&0xF0 != 0x80 || head[1]&0x80 != 0 == c.client {
		return 0, nil, errors.New("websocket: a fragment, an extension or a wrong mask")
	}
	length := int(head[1] & 0x7F)
	switch length {
	case 126:
		var long [2]byte
		if _, err := io.ReadFull(c.reader, long[:]); err != nil {
			return 0, nil, err
		}
		length = int(binary.BigEndian.Uint16(long[:]))
	case 127:
		return 0, nil, errors.New("websocket: the message is too long")
	}
	var key [4]byte
	if !c.client {
		if _, err := io.ReadFull(c.reader, key[:]); err != nil {
			return 0, nil, err
		}
	}
	payload = make([]byte, length)
	if _, err := io.ReadFull(c.reader, payload); err != nil {
		return 0, nil, err
	}
	for i := range payload {
		payload[i] ^= key[i%4]
	}
	return head[0] & 0x0F, payload, nil
}

// wsAccept proves that the server has understood the key (RFC 6455, 4.2.2).
func wsAccept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// wsDial asks for the upgrade on a connection that is open, and gives the answer beside the WebSocket; any answer but 101 is an error.
func wsDial(conn net.Conn, req *http.Request) (*wsConn, *http.Response, error) {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:])
	key := base64.StdEncoding.EncodeToString(nonce[:])
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key} {
		req.Header.Set(name, value)
	}
	if err := req.Write(conn); err != nil {
		return nil, nil, err
	}
	reader := bufio.NewReader(conn)
	res, err := http.ReadResponse(reader, req)
	if err != nil {
		return nil, nil, err
	}
	if res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-WebSocket-Accept") != wsAccept(key) {
		return nil, res, errors.New("websocket: no upgrade: " + res.Status)
	}
	return &wsConn{conn, reader, true}, res, nil
}

// wsTake takes the connection over from HTTP and answers 101, with these headers beside the upgrade's own.
func wsTake(w http.ResponseWriter, r *http.Request, more http.Header) (*wsConn, error) {
	hijacker, ok := w.(http.Hijacker)
	if !ok || r.Header.Get("Sec-WebSocket-Key") == "" {
		http.Error(w, "no WebSocket is asked for", http.StatusBadRequest)
		return nil, http.ErrNotSupported
	}
	conn, buffered, err := hijacker.Hijack()
	if err != nil {
		return nil, err
	}
	more.Set("Upgrade", "websocket")
	more.Set("Connection", "Upgrade")
	more.Set("Sec-WebSocket-Accept", wsAccept(r.Header.Get("Sec-WebSocket-Key")))
	answer := &http.Response{StatusCode: http.StatusSwitchingProtocols, ProtoMajor: 1, ProtoMinor: 1, Header: more}
	if err := answer.Write(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return &wsConn{conn, buffered.Reader, false}, nil
}
