import LinuxABI

/// Requests of ioctl_tty(2) that concern modes and queues alone.
extension LineDiscipline {
    /// Fills a structure of the request's size; false for a request that tells nothing of these.
    public func tell(_ request: UInt32, into structure: UnsafeMutableRawBufferPointer) -> Bool {
        switch request {
        case ControlRequest.getTerminal, ControlRequest.getTerminal2: modes.store(into: structure)
        case ControlRequest.readableBytes: store(readableCount)
        case ControlRequest.outputQueue: store(outputCount)
        default: return false
        }
        func store(_ count: Int) { structure.storeBytes(of: Int32(count), as: Int32.self) }
        return true
    }

    /// Takes new modes, by any of the six requests that set them.
    public mutating func setModes(_ request: UInt32, from structure: UnsafeRawBufferPointer) {
        let flushes =
            request == ControlRequest.setTerminalFlushed
            || request == ControlRequest.setTerminal2Flushed
        if flushes { flushInput() }
        var modes = modes
        modes.load(from: structure)
        set(modes)
    }

    /// Does what TCXONC and TCFLSH order; false for what neither knows.
    public mutating func order(_ request: UInt32, _ number: Int32) -> Bool {
        switch (request, number) {
        case (ControlRequest.flowControl, 0): stop()
        case (ControlRequest.flowControl, 1): restart()
        case (ControlRequest.flowControl, 2): askToStop()
        case (ControlRequest.flowControl, 3): askToGoOn()
        case (ControlRequest.flush, 0): flushInput()
        case (ControlRequest.flush, 1): flushOutput()
        case (ControlRequest.flush, 2):
            flushInput()
            flushOutput()
        default: return false
        }
        return true
    }
}
