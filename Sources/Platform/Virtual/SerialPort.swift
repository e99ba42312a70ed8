import Interruption
import Platform

/// A serial port: the 16550 of PCs, by its data sheet's registers.
struct SerialPort {
    let base: UInt16

    /// Words before there is a kernel, and after.
    static var console: SerialPort { SerialPort(base: 0x3f8) }

    private var lineStatus: UInt8 { port_read8(base + 5) }

    func write(_ byte: UInt8) {
        let transmitterEmpty: UInt8 = 0x20
        // A port that is not there reads as all ones.
        while lineStatus & transmitterEmpty == 0 {}
        port_write8(base, byte)
    }

    func write(_ text: StaticString) {
        text.withUTF8Buffer { for byte in $0 { write(byte) } }
    }

    func writeHexadecimal(_ value: UInt64) {
        let digits = Interruption.digits(value)
        for index in 0..<16 { write(digits[index]) }
    }
}

/// Ends before there is a kernel: one line, and docker's status for its own failure.
func die(_ message: StaticString) -> Never {
    SerialPort.console.write("unirun: ")
    SerialPort.console.write(message)
    SerialPort.console.write("\n")
    Power.off(125)
}
