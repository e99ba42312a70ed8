import LinuxABI

/// What an option of a socket is.
public enum SocketOptionValue {
    case number(Int32)
    /// A `struct linger`
    case linger(isOn: Bool, seconds: UInt32)
    /// A `struct timeval`; `never` is told as zero.
    case time(Nanoseconds)
    case credentials(SocketCredentials)
    case cookie(UInt64)
}

/// The options of SOL_SOCKET: socket(7).
extension Socket {
    final func get(_ option: SocketOption) throws(Errno) -> SocketOptionValue {
        switch option {
        case .debug: flag(.debug)
        case .reuseAddress: flag(.reuseAddress)
        case .type: .number(Int32(type.rawValue))
        case .error: .number(Int32(takeError()?.rawValue ?? 0))
        case .doNotRoute: flag(.doNotRoute)
        case .broadcast: flag(.broadcast)
        case .sendBuffer: .number(Int32(clamping: sendLimit))
        case .receiveBuffer: .number(Int32(clamping: receiveLimit))
        case .keepAlive: flag(.keepAlive)
        case .outOfBandInline: flag(.outOfBandInline)
        case .noChecksum: flag(.noChecksum)
        case .priority: .number(priority)
        case .linger: .linger(isOn: settings.contains(.linger), seconds: lingerTime)
        case .passCredentials: try passesCredentials()
        case .peerCredentials: .credentials(peerCredentials)
        case .receiveLowWater: .number(Int32(clamping: lowWater))
        case .sendLowWater: .number(1)
        case .receiveTimeout: .time(receiveTimeout)
        case .sendTimeout: .time(sendTimeout)
        case .accepting: .number(isListening ? 1 : 0)
        case .protocolNumber: .number(protocolNumber)
        case .family: .number(Int32(family.rawValue))
        case .receiveOverflow: flag(.receiveOverflow)
        case .peekOffset: .number(Int32(clamping: peekOffset))
        case .mark, .reusePort: .number(0)
        case .timestamp, .passSecurity: .number(0)
        case .incomingProcessor: .number(-1)
        case .cookie: .cookie(inode)
        case .peerSecurity, .sendBufferForced, .receiveBufferForced: throw .noSuchOption
        }
    }

    private final func flag(_ setting: Settings) -> SocketOptionValue {
        .number(settings.contains(setting) ? 1 : 0)
    }

    private final func passesCredentials() throws(Errno) -> SocketOptionValue {
        try requirePassingOfCredentials()
        return flag(.passCredentials)
    }

    /// Sets an option that is a number.
    final func set(_ option: SocketOption, _ value: Int32) throws(Errno) {
        switch option {
        case .debug:
            guard value == 0 || Process.current.credentials.effectiveUser == 0 else {
                throw .permissionDenied
            }
            turn(.debug, value)
        case .reuseAddress: turn(.reuseAddress, value)
        case .doNotRoute: turn(.doNotRoute, value)
        case .broadcast: turn(.broadcast, value)
        case .keepAlive: turn(.keepAlive, value)
        case .outOfBandInline: turn(.outOfBandInline, value)
        case .noChecksum: turn(.noChecksum, value)
        case .receiveOverflow: turn(.receiveOverflow, value)
        case .passCredentials:
            try requirePassingOfCredentials()
            turn(.passCredentials, value)
        case .sendBuffer: setSendLimit(min(Int(value), Socket.largestLimit))
        case .receiveBuffer: setReceiveLimit(min(Int(value), Socket.largestLimit))
        case .sendBufferForced:
            try requirePrivilege()
            setSendLimit(Int(max(value, 0)))
        case .receiveBufferForced:
            try requirePrivilege()
            setReceiveLimit(Int(max(value, 0)))
        case .receiveLowWater: lowWater = value < 0 ? Int(Int32.max) : max(Int(value), 1)
        case .priority:
            if value < 0 || value > 6 { try requirePrivilege() }
            priority = value
        case .peekOffset: peekOffset = Int(value)
        case .mark:
            try requirePrivilege()
            guard value == 0 else { throw .notSupported }
        case .reusePort, .passSecurity, .timestamp:
            guard value == 0 else { throw .notSupported }
        default: throw .noSuchOption
        }
    }

    private final func requirePrivilege() throws(Errno) {
        guard Process.current.credentials.effectiveUser == 0 else { throw .notPermitted }
    }

    private final func turn(_ setting: Settings, _ value: Int32) {
        if value != 0 { settings.insert(setting) } else { settings.remove(setting) }
    }

    /// Linux doubles what it is asked for: a message takes more than its bytes. A negative size is the
    /// largest.
    private final func setSendLimit(_ size: Int) {
        let size = size < 0 ? Socket.largestLimit : min(size, Int(Int32.max) / 2)
        sendLimit = max(size * 2, Socket.leastSendLimit)
        queue.wake([.allWritable, .writeBand])
    }

    private final func setReceiveLimit(_ size: Int) {
        let size = size < 0 ? Socket.largestLimit : min(size, Int(Int32.max) / 2)
        receiveLimit = max(size * 2, Socket.leastReceiveLimit)
    }

    /// Sets SO_LINGER.
    final func setLinger(isOn: Bool, seconds: UInt32) {
        if isOn {
            settings.insert(.linger)
            lingerTime = seconds
        } else {
            settings.remove(.linger)
        }
    }

    /// Sets SO_RCVTIMEO or SO_SNDTIMEO. Throws `outOfDomain` for microseconds beyond a second.
    final func setTimeout(_ option: SocketOption, _ value: TimeValue) throws(Errno) {
        guard (0..<1_000_000).contains(value.microseconds) else { throw .outOfDomain }
        var timeout = Nanoseconds.never
        if value.seconds < 0 {
            timeout = 0
        } else if value.seconds > 0 || value.microseconds > 0 {
            let seconds = TimeSpecification(
                seconds: value.seconds,
                nanoseconds: value.microseconds * 1000
            )
            timeout = seconds.total ?? .never
        }
        if option == .receiveTimeout { receiveTimeout = timeout } else { sendTimeout = timeout }
    }
}
