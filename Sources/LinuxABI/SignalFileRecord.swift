/// `struct signalfd_siginfo`: what reading a signalfd(2) gives of one signal.
public struct SignalFileRecord: BitwiseCopyable, Sendable {
    /// Pairs of 32-bit fields first: number and error, code and process, user and descriptor,
    /// timer and band, overrun and trap, status and value; then the value as a pointer, two times,
    /// and the address.
    private var words = InlineArray<16, UInt64>(repeating: 0)

    public init(_ information: SignalInformation) {
        words[0] = pair(information.signal, information.error)
        words[1] = pair(information.code, 0)
        let (first, value) = (information.words[0], information.words[1])
        switch information.code {
        case SignalInformation.timer:
            words[3] = first & 0xffff_ffff
            words[4] = first >> 32
            setValue(value)
        case SignalInformation.kernel: break
        case ...0:
            words[1] |= first << 32
            words[2] = first >> 32
            setValue(value)
        default: words[9] = first
        }
    }

    private mutating func setValue(_ value: UInt64) {
        words[5] = value << 32
        words[6] = value
    }
}

private func pair(_ low: Int32, _ high: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: low)) | UInt64(UInt32(bitPattern: high)) << 32
}
