import LinuxABI
import Testing

@testable import Kernel

/// Sockets between processes of one kernel: unix(7).
@Suite struct SocketTests {
    @Test(arguments: [
        (1, 768), (192, 768), (193, 1280), (960, 2304), (3776, 4352), (3777, 4864), (8000, 8960),
        (16_000, 16_640), (20_000, 20_736), (36_544, 37_120),
    ])
    func aPieceOfAStreamIsChargedAsOnLinux(count: Int, charge: Int) {
        #expect(UnixMessage.charge(count, linear: UnixMessage.linearPiece) == charge)
    }

    @Test(arguments: [
        (1, 768), (4000, 8448), (16_064, 16_640), (16_065, 20_736), (65_536, 69_888),
        (106_432, 135_424), (200_000, 200_960),
    ])
    func aDatagramIsChargedAsOnLinux(count: Int, charge: Int) {
        #expect(UnixMessage.charge(count, linear: UnixMessage.linearDatagram) == charge)
    }

    @Test func messagesLeaveAQueueInTheirOrderWhereverTheyAreTaken() throws {
        var counts: [[Int]] = []
        _ = TaskMachine.run { _ in
            var queue = UnixMessageQueue()
            var made: [UnixMessage.Pointer] = []
            for count in 1...4 {
                guard let message = try? UnixMessage.make(count, charge: 0) else { return }
                queue.append(message)
                made.append(message)
            }
            queue.take(made[1], after: made[0])
            counts.append(queue.counts)
            queue.take(made[3], after: made[2])
            counts.append(queue.counts)
            queue.take(made[0], after: nil)
            counts.append(queue.counts)
            queue.append(made[3])
            counts.append(queue.counts)
            while let message = queue.takeFirst() { message.pointee.next = nil }
            counts.append(queue.counts)
            for message in made { message.free() }
        }
        #expect(counts == [[1, 3, 4], [1, 3], [3], [3, 4], []])
    }

    @Test func filesThatNobodyReceivesAreLetGo() {
        var living: [Int] = []
        _ = TaskMachine.run { machine in
            let table = machine.makeTable()
            let (first, second) = pair(table)
            send([first, second], over: first, in: table)
            send([first, second], over: second, in: table)
            living.append(socketCount)
            try? table.close(first)
            living.append(socketCount)
            try? table.close(second)
            living.append(socketCount)
        }
        #expect(living == [2, 2, 0])
        #expect(Rights.count == 0)
    }

    @Test func aCycleIsLetGoThoughOneOfItsFilesIsElsewhereToo() {
        var living: [Int] = []
        _ = TaskMachine.run { machine in
            let table = machine.makeTable()
            let outer = pair(table)
            let inner = pair(table)
            send([inner.0, inner.1], over: inner.0, in: table)
            send([inner.0], over: outer.0, in: table)
            // The second inner end is in its own queue alone, the first in that of a descriptor too.
            for descriptor in [inner.0, inner.1, outer.0] { try? table.close(descriptor) }
            living.append(socketCount)
            try? table.close(outer.1)
            living.append(socketCount)
        }
        #expect(living == [2, 0])
    }

    @Test func whatADescriptorLeadsToStays() {
        var living: [Int] = []
        _ = TaskMachine.run { machine in
            let table = machine.makeTable()
            let outer = pair(table)
            let inner = pair(table)
            // The end that stays open has the other pair's ends in its queue, one in the other's.
            send([inner.0], over: inner.0, in: table)
            send([inner.1], over: outer.0, in: table)
            for descriptor in [inner.0, inner.1, outer.0] { try? table.close(descriptor) }
            living.append(socketCount)
            try? table.close(outer.1)
            living.append(socketCount)
        }
        #expect(living == [3, 0])
    }

    @Test func aLongChainIsLetGoOneAfterTheOther() {
        var living: [Int] = []
        _ = TaskMachine.run { machine in
            let table = machine.makeTable()
            var last = pair(table)
            try? table.close(last.0)
            for _ in 0..<1000 {
                let next = pair(table)
                send([last.1], over: next.0, in: table)
                try? table.close(last.1)
                try? table.close(next.0)
                last = next
            }
            living.append(socketCount)
            try? table.close(last.1)
            living.append(socketCount)
        }
        #expect(living == [1001, 0])
    }
}

extension UnixMessageQueue {
    fileprivate var counts: [Int] {
        var counts: [Int] = []
        forEach { counts.append(Int($0.pointee.count)) }
        #expect(counts.count == count)
        return counts
    }
}

/// Sockets whose open files are there.
private var socketCount: Int {
    var count = 0
    UnixSocket.forEach { if $0.file != nil { count += 1 } }
    return count
}

private func pair(_ table: DescriptorTable) -> (FileDescriptor, FileDescriptor) {
    var made = (FileDescriptor(Int32(-1)), FileDescriptor(Int32(-1)))
    do {
        try table.makeSocketPair(1, 1, 0) { (first, second) throws(Errno) in
            made = (first, second)
        }
    } catch { Issue.record("no sockets: \(error)") }
    return made
}

private func send(
    _ files: [FileDescriptor],
    over descriptor: FileDescriptor,
    in table: DescriptorTable
) {
    do {
        var message = OutgoingMessage([])
        var held: [OpenFile] = []
        for file in files { held.append(try table.file(file)) }
        message.rights = Rights(held)
        let byte: [UInt8] = [1]
        try byte.withUnsafeBytes { bytes in
            var transfer = Transfer(kernel: bytes)
            _ = try table.socket(descriptor).send(&transfer, &message)
        }
    } catch { Issue.record("not sent: \(error)") }
}
