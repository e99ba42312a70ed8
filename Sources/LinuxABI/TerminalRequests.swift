/// The requests of ioctl(2) that files understand: ioctl_tty(2), ioctl_console(2), linux/fs.h.
public enum ControlRequest {
    public static let getTerminal: UInt32 = 0x5401
    public static let setTerminal: UInt32 = 0x5402
    public static let setTerminalDrained: UInt32 = 0x5403
    public static let setTerminalFlushed: UInt32 = 0x5404
    public static let sendBreak: UInt32 = 0x5409
    public static let flowControl: UInt32 = 0x540a
    public static let flush: UInt32 = 0x540b
    public static let setControllingTerminal: UInt32 = 0x540e
    public static let getProcessGroup: UInt32 = 0x540f
    public static let setProcessGroup: UInt32 = 0x5410
    /// TIOCEXCL, TIOCNXCL, TIOCGEXCL
    public static let setExclusive: UInt32 = 0x540c
    public static let clearExclusive: UInt32 = 0x540d
    public static let isExclusive: UInt32 = 0x8004_5440
    public static let outputQueue: UInt32 = 0x5411
    /// TIOCSTI
    public static let simulateInput: UInt32 = 0x5412
    public static let getWindowSize: UInt32 = 0x5413
    public static let setWindowSize: UInt32 = 0x5414
    /// FIONREAD, also TIOCINQ
    public static let readableBytes: UInt32 = 0x541b
    /// TIOCPKT, TIOCGPKT
    public static let setPacketMode: UInt32 = 0x5420
    public static let getPacketMode: UInt32 = 0x8004_5438
    /// TIOCNOTTY
    public static let giveUpControllingTerminal: UInt32 = 0x5422
    /// TIOCGETD, TIOCSETD
    public static let setDiscipline: UInt32 = 0x5423
    public static let getDiscipline: UInt32 = 0x5424
    /// TCSBRKP
    public static let sendLongBreak: UInt32 = 0x5425
    /// TIOCGPTN, TIOCSPTLCK, TIOCGPTLCK, TIOCGPTPEER, TIOCSIG
    public static let getNumber: UInt32 = 0x8004_5430
    public static let setLock: UInt32 = 0x4004_5431
    public static let getLock: UInt32 = 0x8004_5439
    public static let openPeer: UInt32 = 0x5441
    public static let raiseSignal: UInt32 = 0x4004_5436
    /// FIONBIO
    public static let setNonBlocking: UInt32 = 0x5421
    public static let getSession: UInt32 = 0x5429
    /// FIONCLEX
    public static let clearCloseOnExec: UInt32 = 0x5450
    /// FIOCLEX
    public static let setCloseOnExec: UInt32 = 0x5451
    /// FIOASYNC
    public static let setAsynchronous: UInt32 = 0x5452
    public static let getTerminal2: UInt32 = 0x802c_542a
    public static let setTerminal2: UInt32 = 0x402c_542b
    public static let setTerminal2Drained: UInt32 = 0x402c_542c
    public static let setTerminal2Flushed: UInt32 = 0x402c_542d

    /// Whether a request changes a terminal, for which one has to be in the foreground.
    public static func changesTerminal(_ request: UInt32) -> Bool {
        switch request {
        case setTerminal, setTerminalDrained, setTerminalFlushed, setTerminal2, setTerminal2Drained,
            setTerminal2Flushed, sendBreak, sendLongBreak, flowControl, flush:
            true
        default: false
        }
    }

    /// How a request's argument is a structure, or a plain number, for those a host terminal takes.
    public enum Shape: Equatable {
        case number
        case reads(Int)
        case writes(Int)
    }

    /// What a host terminal is asked for `request`, or nil when it is not passed on.
    public static func terminalShape(_ request: UInt32) -> Shape? {
        switch request {
        case getTerminal: .writes(36)
        case setTerminal, setTerminalDrained, setTerminalFlushed: .reads(36)
        case getTerminal2: .writes(44)
        case setTerminal2, setTerminal2Drained, setTerminal2Flushed: .reads(44)
        case sendBreak, flowControl, flush: .number
        case getWindowSize: .writes(8)
        case setWindowSize: .reads(8)
        case outputQueue, readableBytes: .writes(4)
        default: nil
        }
    }
}
