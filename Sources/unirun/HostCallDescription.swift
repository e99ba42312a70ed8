import HostCalls
import Tender

/// A call that the sandbox's filter lets pass to the host, in the command's words.
struct HostCallDescription {
    var number: Int
    var name: String
    /// What the filter asks of the arguments; empty when nothing.
    var condition: String

    /// In the order of their numbers, from the table that the filter is built from.
    static var all: [HostCallDescription] {
        hostCalls.indices.map { HostCallDescription(hostCalls[$0]) }
            .sorted { $0.number < $1.number }
    }

    private init(_ call: HostCall) {
        number = Int(call.number)
        name = SystemCallNames.name(number)
        condition =
            switch call.check {
            case .none: ""
            case .descriptor(let argument, let allowed):
                "argument \(argument + 1) is descriptor \(Self.list(allowed))"
            case .descriptorOrNone(let argument, let allowed):
                "argument \(argument + 1) is descriptor \(Self.list(allowed)) or -1"
            case .below(let argument, let bound):
                "argument \(argument + 1) is below \(bound)"
            case .first(let value): "argument 1 is \(value)"
            case .firstTwo(let first, let second): "argument 1 is \(first) and argument 2 \(second)"
            case .firstCounted(let value): "argument 1 is \(value), and unirun agrees"
            }
    }

    private static func list(_ bits: UInt32) -> String {
        (0..<32).filter { bits >> $0 & 1 != 0 }.map(String.init).joined(separator: ", ")
    }
}
