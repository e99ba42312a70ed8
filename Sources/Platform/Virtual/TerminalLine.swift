import LinuxABI
import Platform
import Terminal
import Virtio

/// What the machine's terminal is connected by. Interrupts are off while it is used.
struct TerminalLine {
    private enum Device {
        case serial(SerialPort)
        case console(ConsoleDevice<Transport>)
    }

    private var device: Device

    init(_ port: SerialPort) {
        port.start()
        device = .serial(port)
    }

    init(_ console: ConsoleDevice<Transport>) { device = .console(console) }

    // MARK: Bytes

    /// Takes what has come, as far as the discipline wants it. `raise` is given the signals that it
    /// makes.
    mutating func receive(into discipline: inout LineDiscipline, _ raise: (Signal) -> Void) {
        switch device {
        case .serial(let port): Self.receive(port, &discipline, raise)
        case .console(var console):
            Self.receive(&console, &discipline, raise)
            device = .console(console)
        }
    }

    /// Sends what the device takes at once. It interrupts when it takes more, or has more.
    mutating func send(from discipline: inout LineDiscipline) {
        switch device {
        case .serial(let port): Self.send(port, &discipline)
        case .console(var console):
            Self.send(&console, &discipline)
            device = .console(console)
        }
    }

    private static func die() -> Never {
        VirtualPlatform.die("the virtio console did what no device may do")
    }

    // MARK: A serial port

    /// More than it holds: a port that never ends is not there.
    private static var limit: Int { 4096 }

    private static func receive(
        _ port: SerialPort,
        _ discipline: inout LineDiscipline,
        _ raise: (Signal) -> Void
    ) {
        for _ in 0..<limit {
            guard discipline.wantsInput else { return }
            let status = port.status
            guard status.contains(.hasReceived) else { return }
            let byte = port.receive()
            let isBreak = status.contains(.isBroken)
            let signal = isBreak ? discipline.receiveBreak() : discipline.receive(byte)
            if let signal { raise(signal) }
        }
    }

    private static func send(_ port: SerialPort, _ discipline: inout LineDiscipline) {
        let isHeld = discipline.modes.usesHardwareFlowControl && !port.isClearToSend
        while !isHeld, discipline.hasOutput, port.status.contains(.isReadyToSend) {
            for _ in 0..<SerialPort.queueSize {
                guard let byte = discipline.nextOutput() else { break }
                port.send(byte)
            }
        }
        port.setReadyToReceive(discipline.wantsInput)
        port.setInterrupts(
            receiving: discipline.wantsInput,
            sending: discipline.hasOutput && !isHeld
        )
    }

    // MARK: A virtio console

    private static func receive(
        _ console: inout ConsoleDevice<Transport>,
        _ discipline: inout LineDiscipline,
        _ raise: (Signal) -> Void
    ) {
        var byte: UInt8 = 0
        do throws(QueueFault) {
            while discipline.wantsInput, try console.hasReceived() {
                _ = withUnsafeMutableBytes(of: &byte) { bytes in try? console.receive(into: bytes) }
                if let signal = discipline.receive(byte) { raise(signal) }
            }
        } catch { die() }
    }

    private static func send(
        _ console: inout ConsoleDevice<Transport>,
        _ discipline: inout LineDiscipline
    ) {
        do throws(QueueFault) {
            while discipline.hasOutput, try console.isReadyToSend() {
                var count = 0
                while count < console.outgoing.count, let byte = discipline.nextOutput() {
                    console.outgoing[count] = byte
                    count += 1
                }
                console.send(count)
            }
        } catch { die() }
    }

    // MARK: The rest

    /// Takes note of an interrupt; whether there may be another cause.
    mutating func acknowledge() -> Bool {
        switch device {
        case .serial(let port):
            _ = port.isClearToSend
            return port.takeCause()
        case .console(let console):
            console.acknowledgeInterrupt()
            return false
        }
    }

    /// Whether all that it was given has left.
    mutating func hasSentAll() -> Bool {
        switch device {
        case .serial(let port): return port.status.contains(.hasSentAll)
        case .console(var console):
            defer { device = .console(console) }
            return (try? console.isReadyToSend()) ?? true
        }
    }

    /// Rows and columns, if it tells them.
    var windowSize: (rows: UInt16, columns: UInt16)? {
        if case .console(let console) = device { return console.windowSize }
        return nil
    }

    func setSpeed(_ speed: UInt32) {
        if case .serial(let port) = device { port.setSpeed(speed) }
    }

    func setBreak(_ isOn: Bool) {
        if case .serial(let port) = device { port.setBreak(isOn) }
    }
}
