import Interruption
import Platform
import Virtio

/// What a kernel says that cannot go on: on the virtio console by its emergency register, and on the
/// serial port, as far as they are there. It needs nothing of what may be broken.
///
/// They begin with "unirun: ", by which `unirun` knows them on the link.
enum LastWords {
    /// Of the console that is driven, or the first that is found.
    nonisolated(unsafe) static var emergency: EmergencyOutput? = nil
    /// What the boot loader said, to look for a console by.
    nonisolated(unsafe) static var commandLine = UnsafeRawBufferPointer(start: nil, count: 0)
    nonisolated(unsafe) private static var hasBegun = false

    private static func begin() {
        guard !hasBegun else { return }
        hasBegun = true
        if MachineTerminal.line != nil { return MachineTerminal.finish() }
        guard emergency != nil else { return MachineDevices.findConsole(commandLine) }
        Link.settle()
    }

    static func write(_ byte: UInt8) {
        begin()
        if let port = SerialPort.first {
            if byte == UInt8(ascii: "\n") { port.write(UInt8(ascii: "\r")) }
            port.write(byte)
        }
        guard let emergency else { return }
        emergency.write(byte)
        pause()
    }

    /// QEMU drops what the other end has no room for: a few hundred bytes, as each is a message.
    private static func pause() {
        let length: UInt64 = 100_000
        let clock = PLATFORM_CLOCK_MONOTONIC.rawValue
        let end = MachineTime.readClock(clock) &+ length
        var patience = 100_000
        while MachineTime.readClock(clock) < end, patience > 0 { patience -= 1 }
    }

    static func write(_ text: StaticString) {
        text.withUTF8Buffer { for byte in $0 { write(byte) } }
    }

    static func writeDecimal(_ value: UInt8) {
        var unit: UInt8 = value >= 100 ? 100 : value >= 10 ? 10 : 1
        while unit > 0 {
            write(UInt8(ascii: "0") + value / unit % 10)
            unit /= 10
        }
    }

    static func writeHexadecimal(_ value: UInt64) {
        let digits = Interruption.digits(value)
        for index in 0..<16 { write(digits[index]) }
    }
}

/// Ends before there is a kernel: one line, and docker's status for its own failure.
func die(_ message: StaticString) -> Never {
    LastWords.write("unirun: ")
    LastWords.write(message)
    LastWords.write("\n")
    Power.off(125)
}
