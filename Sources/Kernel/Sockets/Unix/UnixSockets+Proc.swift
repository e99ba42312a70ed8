import LinuxABI

extension UnixSocket {
    /// /proc/net/unix: proc(5). Addresses of the kernel are not told, as to those who are not root.
    static func appendTable(to text: inout TextBuffer) {
        text.append("Num       RefCount Protocol Flags    Type St Inode Path\n")
        forEach { $0.appendRow(to: &text) }
    }

    private func appendRow(to text: inout TextBuffer) {
        text.append(hexadecimal: 0, width: 16)
        text.append(": ")
        // One for itself, one for its file, one for the other end.
        let references = isConnecting && peer != nil ? 3 : 2
        text.append(hexadecimal: UInt64(references), width: 8)
        text.append(" 00000000 ")
        // SO_ACCEPTCON
        text.append(hexadecimal: isListening ? 0x1_0000 : 0, width: 8)
        text.append(" ")
        text.append(hexadecimal: UInt64(type.rawValue), width: 4)
        text.append(" ")
        // SS_UNCONNECTED, SS_CONNECTING, SS_CONNECTED
        let isConnected = state == .connected
        let number: UInt64 = file == nil ? 2 : isConnected ? 3 : 1
        text.append(hexadecimal: number, width: 2)
        text.append(" ")
        text.append(file == nil ? 0 : inode, width: 5, padding: 0x20)
        if let address {
            text.append(" ")
            appendName(address.bytes, isPath: address.isPath, to: &text)
        }
        text.append("\n")
    }

    private func appendName(_ bytes: [UInt8], isPath: Bool, to text: inout TextBuffer) {
        for byte in isPath ? bytes.dropLast() : bytes[...] {
            text.append(byte: byte == 0 ? 0x40 : byte)
        }
    }
}
