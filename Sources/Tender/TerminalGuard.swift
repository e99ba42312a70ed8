import Glibc
import LaunchRecord
import TenderSupport

/// The terminal requests that a program may make, and the attributes to put back if it dies.
struct TerminalGuard {
    /// What the attributes were before the program first changed them, by descriptor.
    private var original: [Int32: [UInt8]] = [:]

    private enum Request {
        /// A structure of so many bytes, read or written.
        case structure(Int)
        /// The same, and it changes the terminal: not done from the background.
        case change(Int)
        case attributes(Int)
        /// An `int` passed by value.
        case value
        case foregroundGroup
        case setForegroundGroup
    }

    /// ioctl_tty(2) and tty_ioctl numbers of x86-64.
    private static func request(_ number: UInt32) -> Request? {
        switch number {
        case 0x5401: .structure(36)  // TCGETS
        case 0x5402, 0x5403, 0x5404: .attributes(36)  // TCSETS, TCSETSW, TCSETSF
        case 0x802c_542a: .structure(44)  // TCGETS2
        case 0x402c_542b, 0x402c_542c, 0x402c_542d: .attributes(44)  // TCSETS2, TCSETSW2, TCSETSF2
        case 0x5409, 0x5425, 0x540a, 0x540b: .value  // TCSBRK, TCSBRKP, TCXONC, TCFLSH
        case 0x5413: .structure(8)  // TIOCGWINSZ
        case 0x5414: .change(8)  // TIOCSWINSZ
        case 0x540f: .foregroundGroup  // TIOCGPGRP
        case 0x5410: .setForegroundGroup  // TIOCSPGRP
        case 0x5429: .structure(4)  // TIOCGSID
        case 0x541b, 0x5411: .structure(4)  // FIONREAD, TIOCOUTQ
        default: nil
        }
    }

    private static let getAttributes: UInt = 0x802c_542a
    private static let setAttributes: UInt = 0x402c_542b
    private static let attributesSize = 44

    mutating func control(
        _ descriptor: Int32,
        _ argument: UInt64,
        _ payload: UnsafeMutableRawBufferPointer
    ) -> Int64 {
        let number = UInt32(truncatingIfNeeded: argument)
        guard let request = Self.request(number) else { return -Int64(EPERM) }
        let isForced = argument & ControlMessage.backgroundAllowed != 0
        switch request {
        case .structure: break
        case .foregroundGroup: return foregroundGroup(descriptor, payload)
        case .attributes, .change, .value, .setForegroundGroup:
            if !isForced, let refusal = backgroundRefusal(descriptor) { return refusal }
        }
        switch request {
        case .attributes: keepOriginal(descriptor)
        case .value: return call(descriptor, number, payload.loadUnaligned(as: Int32.self))
        case .setForegroundGroup: return result(tcsetpgrp(descriptor, getpgrp()))
        default: break
        }
        return result(ioctl(descriptor, UInt(number), payload.baseAddress!))
    }

    /// Puts back what the program changed and did not restore.
    func restore() {
        for (descriptor, bytes) in original where backgroundRefusal(descriptor) == nil {
            var attributes = bytes
            _ = attributes.withUnsafeMutableBytes {
                ioctl(descriptor, Self.setAttributes, $0.baseAddress!)
            }
        }
    }

    private mutating func keepOriginal(_ descriptor: Int32) {
        guard original[descriptor] == nil else { return }
        var attributes = [UInt8](repeating: 0, count: Self.attributesSize)
        let kept = attributes.withUnsafeMutableBytes {
            ioctl(descriptor, Self.getAttributes, $0.baseAddress!)
        }
        if kept == 0 { original[descriptor] = attributes }
    }

    /// The host's foreground group, and ours behind it: the kernel compares them, as the guest's
    /// own group numbers mean nothing here.
    private func foregroundGroup(
        _ descriptor: Int32,
        _ payload: UnsafeMutableRawBufferPointer
    ) -> Int64 {
        let group = tcgetpgrp(descriptor)
        guard group >= 0 else { return -Int64(errno) }
        payload.storeBytes(of: group, toByteOffset: 0, as: Int32.self)
        payload.storeBytes(of: getpgrp(), toByteOffset: 4, as: Int32.self)
        return 0
    }

    /// What a change from the background is answered with: `unirun` blocks `SIGTTOU`, so the host
    /// would let it pass. `nil` in the foreground, and on another's terminal.
    private func backgroundRefusal(_ descriptor: Int32) -> Int64? {
        let foreground = tcgetpgrp(descriptor)
        guard foreground >= 0, foreground != getpgrp() else { return nil }
        let parent = getppid()
        let isOrphaned = getsid(parent) != getsid(0) || getpgid(parent) == getpgrp()
        return isOrphaned ? -Int64(EIO) : ControlMessage.stopsInBackground
    }

    private func call(_ descriptor: Int32, _ number: UInt32, _ value: Int32) -> Int64 {
        result(ioctl(descriptor, UInt(number), value))
    }

    private func result(_ value: Int32) -> Int64 { value < 0 ? -Int64(errno) : Int64(value) }
}
