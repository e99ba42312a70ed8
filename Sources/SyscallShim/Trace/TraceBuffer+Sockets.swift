import LinuxABI

/// Addresses and messages of sockets, as strace(1) shows them.
extension TraceBuffer {
    mutating func appendSocketData(
        _ value: UInt,
        _ kind: Argument,
        _ next: Int,
        _ call: CallArguments
    ) {
        switch kind {
        case .socketAddress: append(socketAddressAt: value, count: next)
        case .socketAddressResult:
            let count = load(UInt(bitPattern: next), 4)?.loadUnaligned(as: Int32.self) ?? 0
            append(socketAddressAt: value, count: Int(count))
        case .messageHeader: append(messageAt: value, bytes: .max)
        default: append(messageAt: value, bytes: call.result)
        }
    }

    /// `{sa_family=AF_UNIX, sun_path="/dev/log"}`, an abstract name with `@` before it.
    private mutating func append(socketAddressAt address: UInt, count: Int) {
        guard address != 0 else { return append("NULL") }
        guard count >= 2, let bytes = load(address, min(count, 110)) else {
            return append(address: address)
        }
        let family = bytes.loadUnaligned(as: UInt16.self)
        append("{sa_family=")
        append(UInt64(family), named: .socketFamily)
        if family == SocketFamily.unix.rawValue, bytes.count > 2 {
            append(", sun_path=")
            let isAbstract = bytes[2] == 0
            if isAbstract { append("@") }
            append("\"")
            var end = isAbstract ? 3 : 2
            while end < bytes.count, isAbstract || bytes[end] != 0 { end += 1 }
            append(escaping: UnsafeRawBufferPointer(rebasing: bytes[(isAbstract ? 3 : 2)..<end]))
            append("\"")
        }
        append("}")
    }

    /// `{msg_name=NULL, msg_namelen=0, msg_iov=[…], msg_iovlen=1, msg_controllen=0, msg_flags=0}`
    private mutating func append(messageAt address: UInt, bytes: Int) {
        guard address != 0, let header = load(address, 56) else { return append(address: address) }
        let message = header.loadUnaligned(as: MessageHeader.self)
        append("{msg_name=")
        append(socketAddressAt: message.name, count: Int(message.nameLength))
        append(", msg_namelen=")
        append(Int(message.nameLength))
        append(", msg_iov=")
        append(vectorAt: message.vector, count: Int(clamping: message.vectorCount), bytes: bytes)
        append(", msg_iovlen=")
        append(UInt64(message.vectorCount))
        if message.control != 0, message.controlLength >= UInt(ControlHeader.size) {
            append(", msg_control=")
            append(controlAt: message.control, count: message.controlLength)
        }
        append(", msg_controllen=")
        append(UInt64(message.controlLength))
        append(", msg_flags=")
        append(UInt64(message.flags), flags: .message)
        append("}")
    }

    /// `[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[3]}]`
    private mutating func append(controlAt address: UInt, count: UInt) {
        append("[")
        var offset: UInt = 0
        while offset &+ UInt(ControlHeader.size) <= count,
            let header = load(address &+ offset, ControlHeader.size)?.loadUnaligned(
                as: ControlHeader.self
            ),
            header.length >= UInt(ControlHeader.size), header.length <= count &- offset
        {
            if offset > 0 { append(", ") }
            append(control: header, at: address &+ offset &+ UInt(ControlHeader.size))
            offset &+= UInt(ControlHeader.aligned(Int(header.length)))
        }
        append("]")
    }

    private mutating func append(control header: ControlHeader, at data: UInt) {
        append("{cmsg_len=")
        append(UInt64(header.length))
        append(", cmsg_level=")
        append(UInt64(UInt32(bitPattern: header.level)), named: .socketLevel)
        append(", cmsg_type=")
        append(UInt64(UInt32(bitPattern: header.type)), named: .controlType)
        let count = Int(header.length) - ControlHeader.size
        if header.type == ControlHeader.rights {
            append(", cmsg_data=[")
            for index in 0..<min(count / 4, ControlHeader.mostFiles) {
                if index > 0 { append(", ") }
                guard let number = load(data &+ UInt(index * 4), 4) else { break }
                append(Int(number.loadUnaligned(as: Int32.self)))
            }
            append("]")
        } else if count >= 12, let bytes = load(data, 12) {
            let credentials = bytes.loadUnaligned(as: SocketCredentials.self)
            append(", cmsg_data={pid=")
            append(Int(credentials.process))
            append(", uid=")
            append(UInt64(credentials.user))
            append(", gid=")
            append(UInt64(credentials.group))
            append("}")
        }
        append("}")
    }
}

extension NameTable {
    static var socketFamily: NameTable {
        NameTable(
            """
            AF_??? 0:AF_UNSPEC AF_UNIX AF_INET AF_AX25 AF_IPX AF_APPLETALK AF_NETROM AF_BRIDGE \
            AF_ATMPVC AF_X25 AF_INET6 10:AF_NETLINK AF_PACKET 1d:AF_CAN 1f:AF_BLUETOOTH \
            26:AF_ALG 28:AF_VSOCK 2c:AF_XDP
            """
        )
    }
    static var socketType: NameTable {
        NameTable(
            """
            SOCK_??? 1:SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_RDM SOCK_SEQPACKET SOCK_DCCP \
            a:SOCK_PACKET
            """
        )
    }
    static var socketFlags: NameTable {
        NameTable("SOCK_??? 80000:SOCK_CLOEXEC 800:SOCK_NONBLOCK")
    }
    static var socketLevel: NameTable {
        NameTable("SOL_??? 0:SOL_IP SOL_SOCKET 6:SOL_TCP 11:SOL_UDP 29:SOL_IPV6 3a:SOL_ICMPV6")
    }
    static var socketOption: NameTable {
        NameTable(
            """
            SO_??? 1:SO_DEBUG SO_REUSEADDR SO_TYPE SO_ERROR SO_DONTROUTE SO_BROADCAST SO_SNDBUF \
            SO_RCVBUF SO_KEEPALIVE SO_OOBINLINE SO_NO_CHECK SO_PRIORITY SO_LINGER SO_BSDCOMPAT \
            SO_REUSEPORT SO_PASSCRED SO_PEERCRED SO_RCVLOWAT SO_SNDLOWAT SO_RCVTIMEO_OLD \
            SO_SNDTIMEO_OLD 19:SO_BINDTODEVICE SO_ATTACH_FILTER SO_DETACH_FILTER SO_PEERNAME \
            SO_TIMESTAMP_OLD SO_ACCEPTCONN SO_PEERSEC SO_SNDBUFFORCE SO_RCVBUFFORCE SO_PASSSEC \
            SO_TIMESTAMPNS_OLD SO_MARK SO_TIMESTAMPING_OLD SO_PROTOCOL SO_DOMAIN SO_RXQ_OVFL \
            SO_WIFI_STATUS SO_PEEK_OFF SO_NOFCS SO_LOCK_FILTER SO_SELECT_ERR_QUEUE SO_BUSY_POLL \
            SO_MAX_PACING_RATE SO_BPF_EXTENSIONS SO_INCOMING_CPU 39:SO_COOKIE 3b:SO_PEERGROUPS \
            SO_ZEROCOPY 4c:SO_PASSPIDFD SO_PEERPIDFD
            """
        )
    }
    static var shutdownHow: NameTable { NameTable("SHUT_??? 0:SHUT_RD SHUT_WR SHUT_RDWR") }
    static var controlType: NameTable {
        NameTable("SCM_??? 1:SCM_RIGHTS SCM_CREDENTIALS SCM_SECURITY SCM_PIDFD")
    }
    static var message: NameTable {
        NameTable(
            """
            MSG_??? 1:MSG_OOB MSG_PEEK 4:MSG_DONTROUTE 8:MSG_CTRUNC 10:MSG_PROBE 20:MSG_TRUNC \
            40:MSG_DONTWAIT 80:MSG_EOR 100:MSG_WAITALL 200:MSG_FIN 400:MSG_SYN 800:MSG_CONFIRM \
            1000:MSG_RST 2000:MSG_ERRQUEUE 4000:MSG_NOSIGNAL 8000:MSG_MORE 10000:MSG_WAITFORONE \
            4000000:MSG_ZEROCOPY 20000000:MSG_FASTOPEN 40000000:MSG_CMSG_CLOEXEC
            """
        )
    }
}
